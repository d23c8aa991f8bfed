"""The invoice as a tagged PDF, made from the very values that its page shows (INV-07)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from portal.invoices.codes import draw_qr
from portal.invoices.selectors import InvoicePage, Line
from portal.ui.brand import BrandView
from portal.ui.formats import format_money, format_weekday_date
from portal.ui.paper import compile_typst, file_name, letterhead

SOURCE = Path(__file__).with_name("invoice.typ")


def render_invoice_pdf(page: InvoicePage, brand: BrandView) -> bytes:
    """Return the PDF in the active language. Everything a customer or the office typed stays text, never markup."""
    return compile_typst(SOURCE, _data(page, brand), about=str(page.row.id))


def pdf_name(page: InvoicePage) -> str:
    """Return the name of the file."""
    return file_name("invoice", page.row.number)


def _data(page: InvoicePage, brand: BrandView) -> dict[str, Any]:
    row = page.row

    def shown(lines: tuple[Line, ...]) -> list[list[str]]:
        return [[line.label, format_money(line.cents, row.currency)] for line in lines]

    facts = [
        [_("Issued"), format_weekday_date(row.issued_on, "full_year")],
        [_("Due"), format_weekday_date(row.due_date, "full_year")],
        [_("Customer"), row.customer_name],
        [_("Address"), row.location],
        [_("Terms"), page.terms],
        [_("Your order number"), page.po_number],
        [_("State"), row.status_badge.text],
    ]
    paid = [
        [f"{payment.text}, {format_weekday_date(payment.date, 'year')}", format_money(payment.cents, row.currency)]
        for payment in page.payments
    ]
    return letterhead(brand) | {
        "title": _("Invoice %(number)s") % {"number": row.number},
        "subject": row.title,
        "facts": [fact for fact in facts if fact[1]],
        "header": [_("What this is for"), _("Amount")],
        "lines": shown(page.lines),
        "totals": shown(page.totals),
        "total": [_("Total"), format_money(row.total_cents, row.currency)],
        "settled": shown(page.settled),
        "open": [_("To pay"), format_money(row.open_cents, row.currency)],
        "payments_title": _("Payments"),
        "payments": paid,
        "note": page.note,
        "check": _check(page),
    }


def _check(page: InvoicePage) -> dict[str, str]:
    """Return what lets a reader ask us whether the paper is ours (P-35); nothing for an invoice without a code."""
    if not page.short_code:
        return {}
    address = page.check_url.rpartition("/")[0]
    words = {"address": re.sub(r"^https?://", "", address), "code": page.short_code}
    return {
        "qr": draw_qr(page.check_url),
        "title": _("Is this invoice genuine?"),
        "text": _("Scan this, or go to %(address)s and type %(code)s.") % words,
    }
