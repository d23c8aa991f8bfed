"""The invoice as a tagged PDF, made from the very values that its page shows (INV-07)."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any, Literal

import typst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.invoices.codes import draw_qr
from portal.invoices.selectors import InvoicePage, Line
from portal.ui.brand import BrandView
from portal.ui.formats import format_money, format_weekday_date

log = logging.getLogger("porchlight.invoices")
SOURCE = Path(__file__).with_name("invoice.typ")

# No font shows these; a line break alone means something.
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def render_invoice_pdf(page: InvoicePage, brand: BrandView) -> bytes:
    """Return the PDF in the active language. Everything a customer or the office typed stays text, never markup."""
    return compile_typst(SOURCE, _data(page, brand), about=str(page.row.id))


def compile_typst(source: Path, data: dict[str, Any], *, about: str) -> bytes:
    """Return the PDF of a source and the texts it shows, tagged for screen readers."""
    text = json.dumps(_printable(data))
    try:
        return _compile(source, text, "ua-1")
    except typst.TypstError:
        # The standard forbids signs for which there is no glyph, such as Chinese ones; an invoice is due all the same.
        log.warning("document has signs that the font lacks", extra={"document": source.stem, "about": about})
        return _compile(source, text, None)


def _compile(source: Path, data: str, standard: Literal["ua-1"] | None) -> bytes:
    pdf: bytes = typst.compile(
        source.read_bytes(), sys_inputs={"data": data}, pdf_standards=standard, ignore_system_fonts=True
    )
    return pdf


def _printable(value: Any) -> Any:
    """Return the same texts without control characters."""
    if isinstance(value, dict):
        return {key: _printable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_printable(part) for part in value]
    return _CONTROLS.sub(" ", value)


def pdf_name(page: InvoicePage) -> str:
    """Return a file name that is the same on every system and cannot leave its folder (UPL-07)."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", page.row.number).strip("-")
    return f"invoice-{safe or 'copy'}.pdf"


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
    contact = [brand.address, brand.phone, brand.email]
    licence = _("License %(number)s") % {"number": brand.licence} if brand.licence else ""
    return {
        "language": (get_language() or "en")[:2],
        "title": _("Invoice %(number)s") % {"number": row.number},
        "subject": row.title,
        "company": brand.name,
        "contact": [part for part in (*contact, licence) if part],
        "colour": brand.palette.text if brand.palette else "#12484b",
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
