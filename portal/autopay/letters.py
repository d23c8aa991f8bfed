"""Mails of autopay: what was allowed, what is charged when, what failed and what to do (X-10)."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from portal.autopay.agreement import place_words
from portal.invoices.methods import method_words
from portal.payments.declines import words_for
from portal.payments.models import AutopayCharge, AutopayMandate
from portal.payments.readers import Letter
from portal.ui.formats import format_money, format_weekday_date
from tenants.context import TenantContext

TENANT_URLS = "config.urls_tenant"


def autopay_path() -> str:
    """Return the page of autopay."""
    return reverse("autopay:show", urlconf=TENANT_URLS)


def pay_path(charge: AutopayCharge) -> str:
    """Return where the invoice of a charge is paid by hand."""
    return reverse("payments:pay", urlconf=TENANT_URLS, args=[charge.invoice_id])


def _amount(charge: AutopayCharge) -> str:
    return format_money(charge.amount_cents, charge.invoice.currency)


def _reason(context: TenantContext) -> str:
    return _("You get this mail because autopay is set up with %(company)s.") % {"company": context.tenant.display_name}


def change_letter(context: TenantContext, mandate: AutopayMandate, change: str, by: str) -> Letter:
    """Return the letter about autopay being turned on, paused, resumed or ended; to customer and office alike.

    New limits do not end the office's pause: then nothing may sound as if it were on.
    """
    if change == "authorised" and mandate.paused_because == AutopayMandate.Pause.OFFICE:
        change = "limits"
    names = {"name": mandate.bill_to.name, "company": context.tenant.display_name}
    subjects = {
        "authorised": _("Autopay is on for %(name)s at %(company)s"),
        "limits": _("The limits of autopay for %(name)s at %(company)s are changed"),
        "paused": _("Autopay is paused for %(name)s at %(company)s"),
        "resumed": _("Autopay is on again for %(name)s at %(company)s"),
        "revoked": _("Autopay is off for %(name)s at %(company)s"),
    }
    texts = {
        "authorised": _("Invoices are charged when they are due, within the limits below. Each charge is announced."),
        "limits": _("Autopay stays paused by the office, so nothing is charged yet."),
        "paused": _("Nothing is charged until it is turned on again."),
        "resumed": _("Open invoices are announced anew before they are charged."),
        "revoked": _("Nothing is charged any more. Invoices are paid by hand from now on."),
    }
    subject = subjects[change] % names
    return Letter(
        subject=subject,
        preheader=texts[change],
        heading=subject,
        paragraphs=(texts[change], _("You can change, pause or end it on the autopay page at any time.")),
        facts=(
            (_("Charge"), method_words(mandate.method.shown)),
            (_("If that fails"), method_words(mandate.fallback.shown) if mandate.fallback else ""),
            (_("For"), place_words(mandate.location)),
            (_("At most for one invoice"), format_money(mandate.cap_cents, context.tenant.currency)),
            (_("At most in a month"), _month(context, mandate)),
            (_("Notice"), _("%(n)s days before") % {"n": mandate.notice_days}),
            (_("Changed by"), by),
        ),
        button_url=context.tenant.url(autopay_path()),
        button_text=_("See autopay"),
        reason=_reason(context),
    )


def notice_letter(context: TenantContext, charge: AutopayCharge) -> Letter:
    """Return the notice of a charge that is planned, with the way to skip it."""
    names = {
        "amount": _amount(charge),
        "day": format_weekday_date(charge.planned_on, "full"),
        "number": charge.invoice.number,
    }
    return Letter(
        subject=_("%(amount)s will be charged on %(day)s") % names,
        preheader=_("Invoice %(number)s. You can skip it until the day before.") % names,
        heading=_("%(amount)s will be charged on %(day)s") % names,
        paragraphs=(_("There is nothing to do. To pay another way, skip this charge until the day before."),),
        facts=(
            (_("For"), _("Invoice %(number)s") % names),
            (_("Charge"), method_words(charge.mandate.method.shown)),
        ),
        button_url=context.tenant.url(autopay_path()),
        button_text=_("See or skip it"),
        reason=_reason(context),
    )


def _month(context: TenantContext, mandate: AutopayMandate) -> str:
    return format_money(mandate.month_cap_cents, context.tenant.currency) if mandate.month_cap_cents else ""


def over_cap_letter(context: TenantContext, charge: AutopayCharge) -> Letter:
    """Return the letter about an invoice that autopay leaves alone: it, or the month with it, is above the limit."""
    of_one = charge.amount_cents > charge.mandate.cap_cents
    names = {
        "amount": _amount(charge),
        "number": charge.invoice.number,
        "cap": format_money(charge.mandate.cap_cents, charge.invoice.currency) if of_one else "",
        "month": _month(context, charge.mandate),
    }
    if of_one:
        heading = _("Invoice %(number)s is above your limit") % names
        why = _("It is above your autopay limit of %(cap)s and is not charged.") % names
        text = _("It is above your autopay limit of %(cap)s, so nothing is charged. You can pay it now.") % names
    else:
        heading = _("Invoice %(number)s is more than the month allows") % names
        why = _("The month would be above your autopay limit of %(month)s, so it is not charged.") % names
        text = _("With it the month would be above your limit of %(month)s: nothing is charged. You can pay it now.")
        text %= names
    return Letter(
        subject=_("Invoice %(number)s over %(amount)s waits for you") % names,
        preheader=why,
        heading=heading,
        paragraphs=(text,),
        facts=((_("Amount"), names["amount"]),),
        button_url=context.tenant.url(pay_path(charge)),
        button_text=_("Pay %(amount)s") % names,
        reason=_reason(context),
    )


def failure_letter(context: TenantContext, charge: AutopayCharge, step: str) -> Letter:
    """Return the letter about a charge that failed: the bank asks for its customer (F15), a second try, or the end."""
    names = {"amount": _amount(charge), "number": charge.invoice.number}
    title, _text = words_for(charge.failure_code, charge.decline_code, charge.mandate.method.kind)
    texts = {
        "ask": _("Your bank wants to check that it’s you before this charge. Pay it yourself in a minute."),
        "retry": _("We try once more in three days. You can also pay now with something else."),
        "hand_over": _("This was the second try, so autopay is paused. Please pay the invoice yourself."),
    }
    return Letter(
        subject=_("Autopay could not charge %(amount)s") % names,
        preheader=texts[step],
        heading=_("Autopay could not charge %(amount)s") % names,
        paragraphs=(texts[step],),
        facts=(
            (_("For"), _("Invoice %(number)s") % names),
            (_("With"), method_words(charge.mandate.method.shown)),
            (_("The bank’s reason"), title),
        ),
        button_url=context.tenant.url(pay_path(charge)),
        button_text=_("Pay %(amount)s") % names,
        reason=_reason(context),
    )


def office_failure_letter(context: TenantContext, charge: AutopayCharge, step: str) -> Letter:
    """Return the office's letter about a charge that needs somebody."""
    names = {"amount": _amount(charge), "name": charge.mandate.bill_to.name, "number": charge.invoice.number}
    title, _text = words_for(charge.failure_code, charge.decline_code, charge.mandate.method.kind)
    texts = {
        "ask": _("The bank asks for the customer. They have been mailed a link to pay."),
        "retry": _("It is tried once more in three days. The customer has been told."),
        "hand_over": _("It failed twice, so autopay is paused and the invoice is to be paid by hand."),
    }
    return Letter(
        subject=_("Autopay of %(name)s failed: %(amount)s") % names,
        preheader=texts[step],
        heading=_("Autopay of %(name)s failed: %(amount)s") % names,
        paragraphs=(texts[step],),
        facts=(
            (_("For"), _("Invoice %(number)s") % names),
            (_("Customer"), names["name"]),
            (_("The bank’s reason"), title),
        ),
        button_url=context.tenant.url(
            reverse("office:customer", urlconf=TENANT_URLS, args=[charge.mandate.bill_to_id])
        ),
        button_text=_("Open the customer"),
        reason=_("You get this mail because you look after payments at %(company)s.")
        % {"company": context.tenant.display_name},
    )
