"""The words of the mails that carry a link to an invoice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from portal.invoices.models import Invoice
from portal.invoices.rows import InvoiceRow, make_row
from portal.invoices.selectors import can_charge, company_day
from portal.sharing.models import ShareLink
from portal.ui.formats import format_money, format_weekday_date
from tenants.context import TenantContext


def invoice_letter(*, context: TenantContext, invoice: Invoice, link: ShareLink, now: datetime) -> dict[str, Any]:
    """Return the texts of an invoice's mail, with the button that opens it without signing in (SHARE-03)."""
    row = _row(context, invoice, now)
    names = {"number": invoice.number, "company": context.tenant.display_name}
    words: dict[str, Any] = {
        "subject": _("Invoice %(number)s from %(company)s") % names,
        "heading": _("Invoice %(number)s from %(company)s") % names,
        "preheader": _preheader(row),
        "paragraphs": [_("Here is your invoice. You can look at it and pay it without signing in.")]
        if row.can_pay
        else [_("Here is your invoice. You can look at it without signing in.")],
    }
    return words | _common(context, row, link)


def fresh_letter(*, context: TenantContext, invoice: Invoice, link: ShareLink, now: datetime) -> dict[str, Any]:
    """Return the texts of the mail that brings a fresh link in place of an ended one."""
    row = _row(context, invoice, now)
    words: dict[str, Any] = {
        "subject": _("Your fresh link to invoice %(number)s") % {"number": invoice.number},
        "heading": _("Here is your fresh link"),
        "preheader": _preheader(row),
        "paragraphs": [_("The link you opened had ended. This one opens the same invoice.")],
    }
    return words | _common(context, row, link)


def _row(context: TenantContext, invoice: Invoice, now: datetime) -> InvoiceRow:
    tenant = context.tenant
    return make_row(invoice, today=company_day(tenant, now), can_charge=can_charge(tenant))


def _preheader(row: InvoiceRow) -> str:
    if not row.open_cents:
        return _("There is nothing to pay.")
    amount = {"amount": format_money(row.open_cents, row.currency), "date": format_weekday_date(row.due_date)}
    if row.state == "overdue":
        return _("%(amount)s, was due %(date)s.") % amount
    return _("%(amount)s, due %(date)s.") % amount


def _common(context: TenantContext, row: InvoiceRow, link: ShareLink) -> dict[str, Any]:
    note = _("The button opens this invoice only. Anyone you pass it on to can see and pay it.")
    if link.expires_at:
        until = {"date": format_weekday_date(link.expires_at, "full_year")}
        ends = _("It works until %(date)s.") % until
        note = f"{note} {ends}"
    facts = [
        {"label": _("For"), "value": row.title},
        {"label": _("Issued"), "value": format_weekday_date(row.issued_on, "full_year")},
        {"label": _("Due"), "value": format_weekday_date(row.due_date, "full_year")},
        {"label": _("Total"), "value": format_money(row.total_cents, row.currency)},
        {"label": _("To pay"), "value": format_money(row.open_cents, row.currency)},
    ]
    portal = _("All your invoices are at %(address)s.") % {"address": context.tenant.url("/")}
    return {
        "facts": facts,
        "button_text": _("See and pay the invoice") if row.can_pay else _("See the invoice"),
        "button_note": note,
        "closing": portal if context.access.door == "open" else "",
        "reason": _("You get this mail because %(company)s sends you its invoices here.")
        % {"company": context.tenant.display_name},
    }
