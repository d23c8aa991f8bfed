"""The words of the mails about estimates."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from portal.estimates.models import Estimate, EstimateDecision
from portal.estimates.pages import EstimatePage
from portal.payments.readers import Letter
from portal.sharing.models import ShareLink
from portal.ui.formats import format_money, format_weekday_date
from tenants.context import TenantContext

OFFICE_URLS = "config.urls_office"


def sent_letter(context: TenantContext, page: EstimatePage, link: ShareLink, *, fresh: bool) -> dict[str, Any]:
    """Return the texts of the mail that brings an estimate, or a fresh link to it."""
    row = page.row
    names = {"number": row.number, "company": context.tenant.display_name, "title": row.title}
    note = _("The button opens this estimate only. Anyone you pass it on to can see and approve it.")
    if link.expires_at:
        until = {"date": format_weekday_date(link.expires_at, "full_year")}
        note = f"{note} " + _("It works until %(date)s.") % until
    subject = _("Estimate %(number)s from %(company)s: %(title)s") % names
    text = _("Here is your estimate. Compare the options, and approve the one you like – without signing in.")
    if fresh:
        subject = _("Your fresh link to estimate %(number)s") % names
        text = _("The link you opened had ended. This one opens the same estimate.")
    elif page.is_newer:
        subject = _("A newer version of estimate %(number)s: %(title)s") % names
        text = page.change_summary or _("Here is the newer version of your estimate. It replaces the one before.")
    last = format_weekday_date(page.expires_on, "full_year") if page.expires_on and page.is_open else ""
    facts = [
        {"label": _("For"), "value": row.title},
        {"label": _("At"), "value": row.location},
        {"label": _("Options"), "value": ", ".join(_priced(page)) if len(page.options) > 1 else ""},
        {"label": _("Total"), "value": "" if len(page.options) > 1 else format_money(row.from_cents, row.currency)},
        {"label": _("Open until"), "value": last},
    ]
    return {
        "subject": subject,
        "preheader": text,
        "heading": subject,
        "paragraphs": [text],
        "facts": [fact for fact in facts if fact["value"]],
        "button_text": _("See the estimate"),
        "button_note": note,
        "closing": "",
        "reason": _("You get this mail because %(company)s sends you its estimates here.") % names,
    }


def _priced(page: EstimatePage) -> list[str]:
    return [f"{card.name} {format_money(card.sums.total_cents, page.row.currency)}" for card in page.options]


def signed_letter(context: TenantContext, page: EstimatePage) -> dict[str, Any]:
    """Return the texts of the mail that brings the signed copy, with what is to be done about the deposit."""
    row = page.row
    option = next(card for card in page.options if card.chosen)
    names = {"number": row.number, "company": context.tenant.display_name}
    text = _("Thank you. The signed copy is attached; %(company)s has it too.") % names
    due = format_money(page.deposit_due_cents, row.currency) if page.deposit_due_cents else ""
    paragraphs = [text]
    if due:
        paragraphs.append(_("A deposit of %(amount)s is due now. It counts toward your invoice.") % {"amount": due})
    facts = [
        {"label": _("Option"), "value": option.name},
        {"label": _("Total"), "value": format_money(option.sums.total_cents, row.currency)},
        {"label": _("Deposit"), "value": due},
        {"label": _("Signed by"), "value": page.approved.name if page.approved else ""},
    ]
    subject = _("Approved: estimate %(number)s") % names
    return {
        "subject": subject,
        "preheader": text,
        "heading": subject,
        "paragraphs": paragraphs,
        "facts": [fact for fact in facts if fact["value"]],
        "button_url": context.tenant.url("/"),
        "button_text": _("See your account"),
        "reason": _("You get this mail because you signed an estimate of %(company)s.") % names,
    }


def decision_letter(context: TenantContext, estimate: Estimate, decision: EstimateDecision) -> Letter:
    """Return the office's letter about an answer."""
    names = _names(estimate)
    if decision.kind == EstimateDecision.Kind.APPROVE:
        subject = _("%(name)s approved estimate %(number)s") % names
        text = _("Signed by %(who)s.") % {"who": decision.by_name}
    elif decision.kind == EstimateDecision.Kind.DECLINE:
        subject = _("%(name)s declined estimate %(number)s") % names
        text = decision.reason or _("No reason was given.")
    else:
        subject = _("%(name)s asks for changes of estimate %(number)s") % names
        text = decision.reason
    return _office_letter(context, estimate, subject, text, decision.total_cents, decision.deposit_cents)


def wish_letter(context: TenantContext, estimate: Estimate) -> Letter:
    """Return the office's letter about an expired estimate that is wanted anew."""
    subject = _("%(name)s wants estimate %(number)s anew") % _names(estimate)
    return _office_letter(context, estimate, subject, _("It had expired."))


def _office_letter(
    context: TenantContext, estimate: Estimate, subject: str, text: str, total: int = 0, deposit: int = 0
) -> Letter:
    path = reverse("office:estimate", urlconf=OFFICE_URLS, args=[estimate.pk])
    return Letter(
        subject=subject,
        preheader=text[:120],
        heading=subject,
        paragraphs=(text,),
        facts=(
            (_("For"), estimate.title),
            (_("Total"), format_money(total, estimate.currency) if total else ""),
            (_("Deposit"), format_money(deposit, estimate.currency) if deposit else ""),
        ),
        button_url=context.tenant.url(path),
        button_text=_("Open the estimate"),
        reason=_("You get this mail because you send estimates for %(company)s.")
        % {"company": context.tenant.display_name},
    )


def _names(estimate: Estimate) -> dict[str, str]:
    return {"name": estimate.customer.name, "number": estimate.number}
