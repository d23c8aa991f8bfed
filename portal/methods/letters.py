"""Mails about methods on file, to the office and to the customer; never more of a number than its last four digits."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from portal.invoices.methods import method_words
from portal.methods.expiry import last_day
from portal.payments.models import PaymentMethod
from portal.payments.readers import Letter
from portal.ui.formats import format_weekday_date
from tenants.context import TenantContext

TENANT_URLS = "config.urls_tenant"


def add_path() -> str:
    """Return where a method is added."""
    return reverse("methods:add", urlconf=TENANT_URLS)


def replace_path(row: PaymentMethod) -> str:
    """Return where a method is replaced."""
    return reverse("methods:replace", urlconf=TENANT_URLS, args=[row.pk])


def office_letter(
    context: TenantContext, row: PaymentMethod, old: PaymentMethod | None, *, change: str, by: str
) -> Letter:
    """Return the office's letter about a change, in the active language (CARD-06)."""
    names = {"name": row.bill_to.name, "method": method_words(row.shown)}
    subjects = {
        "added": _("%(name)s put %(method)s on file"),
        "replaced": _("%(name)s replaced a payment method with %(method)s"),
        "removed": _("%(name)s removed %(method)s"),
        "default": _("%(name)s pays with %(method)s from now on"),
        "ended": _("%(method)s of %(name)s is not on file any more"),
    }
    subject = subjects[change] % names
    url = context.tenant.url(reverse("office:customer", urlconf=TENANT_URLS, args=[row.bill_to_id]))
    return Letter(
        subject=subject,
        preheader=subject,
        heading=subject,
        paragraphs=(_("There is nothing to do; this is for your records."),),
        facts=(
            (_("Customer"), row.bill_to.name),
            (_("Payment method"), names["method"]),
            (_("Instead of"), method_words(old.shown) if old else ""),
            (_("Changed by"), by),
        ),
        button_url=url,
        button_text=_("Open the customer"),
        reason=_("You get this mail because you look after payments at %(company)s.")
        % {"company": context.tenant.display_name},
    )


def customer_letter(
    context: TenantContext, row: PaymentMethod, old: PaymentMethod | None, *, change: str, by: str
) -> Letter:
    """Return the customer's letter about a change: whoever did not make it can call at once."""
    names = {"method": method_words(row.shown), "company": context.tenant.display_name}
    subjects = {
        "added": _("%(method)s is on file with %(company)s"),
        "replaced": _("%(method)s took the place of your old payment method"),
        "removed": _("%(method)s is no longer on file"),
        "default": _("%(method)s is your default now"),
        "ended": _("%(method)s can no longer be used"),
    }
    subject = subjects[change] % names
    return Letter(
        subject=subject,
        preheader=_("If this wasn’t you, call us right away."),
        heading=subject,
        paragraphs=(_("If this wasn’t you or somebody you trust with it, call us right away."),),
        facts=(
            (_("Payment method"), names["method"]),
            (_("Instead of"), method_words(old.shown) if old else ""),
            (_("Changed by"), by),
        ),
        button_url=context.tenant.url(reverse("methods:list", urlconf=TENANT_URLS)),
        button_text=_("See your payment methods"),
        reason=_("You get this mail because you can see the billing of %(name)s at %(company)s.")
        % {"name": row.bill_to.name, "company": names["company"]},
    )


def expiry_letter(context: TenantContext, row: PaymentMethod) -> Letter:
    """Return the letter about a card that expires soon."""
    day = last_day(row)
    assert day
    names = {"method": method_words(row.shown), "day": format_weekday_date(day, "full")}
    return Letter(
        subject=_("%(method)s expires on %(day)s") % names,
        preheader=_("Replace it in a minute, and nothing fails."),
        heading=_("%(method)s expires on %(day)s") % names,
        paragraphs=(_("Replace it with your new card, so that your next payment goes through."),),
        facts=(),
        button_url=context.tenant.url(replace_path(row)),
        button_text=_("Replace the card"),
        reason=_("You get this mail because this card is on file with %(company)s.")
        % {"company": context.tenant.display_name},
    )


def request_letter(context: TenantContext, *, by: str) -> Letter:
    """Return the office's wish for a method on file."""
    company = context.tenant.display_name
    return Letter(
        subject=_("%(company)s asks for a card or bank account on file") % {"company": company},
        preheader=_("Add it in a minute. Nothing is charged."),
        heading=_("Please put a card or bank account on file"),
        paragraphs=(
            _("%(name)s asks you to add one, so that paying is one tap later.") % {"name": by or company},
            _("Nothing is charged now, and you can remove it again at any time."),
        ),
        facts=(),
        button_url=context.tenant.url(add_path()),
        button_text=_("Add a card or bank account"),
        reason=_("You get this mail because %(company)s asked for a payment method.") % {"company": company},
    )
