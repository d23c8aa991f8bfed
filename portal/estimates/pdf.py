"""The estimate as a tagged PDF, made from the very values that its page shows; signed, it carries the proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from portal.estimates.pages import EstimatePage, OptionCard
from portal.ui.brand import BrandView
from portal.ui.formats import format_clock, format_money, format_weekday_date
from portal.ui.paper import compile_typst, file_name, letterhead

SOURCE = Path(__file__).with_name("estimate.typ")


def render_estimate_pdf(page: EstimatePage, brand: BrandView) -> bytes:
    """Return the PDF in the active language. Everything somebody typed stays text, never markup."""
    return compile_typst(SOURCE, _data(page, brand), about=str(page.row.id))


def pdf_name(page: EstimatePage) -> str:
    """Return the name of the file."""
    return file_name("estimate", page.row.number)


def _data(page: EstimatePage, brand: BrandView) -> dict[str, Any]:
    row = page.row
    until = format_weekday_date(page.expires_on, "full_year") if page.expires_on and not page.approved else ""
    facts = [
        [_("Customer"), row.customer_name],
        [_("Address"), row.location],
        [_("Version"), str(page.version)],
        [_("Open until"), until],
        [_("State"), row.badge.text],
    ]
    shown = [card for card in page.options if card.chosen] if page.approved else list(page.options)
    return letterhead(brand) | {
        "title": _("Estimate %(number)s") % {"number": row.number},
        "subject": row.title,
        "facts": [fact for fact in facts if fact[1]],
        "summary": page.summary,
        "header": [_("What this is for"), _("Amount")],
        "options": [_option(page, card) for card in shown],
        "signature": _signature(page),
    }


def _option(page: EstimatePage, card: OptionCard) -> dict[str, Any]:
    money = page.row.currency
    lines = [[line.text, format_money(line.amount_cents, money)] for line in page.lines] if page.lines else []
    if not lines:
        lines = [[_("Everything that is included"), format_money(card.base_cents, money)]]
        lines += [[tick.text, ""] for tick in card.ticks]
        lines += [
            [_("Optional: %(what)s") % {"what": extra.text}, f"+ {format_money(extra.cents, money)}"]
            for extra in card.extras
        ]
    totals = [[_("Tax"), format_money(card.sums.tax_cents, money)]] if card.sums.tax_cents else []
    deposit = [[_("Deposit"), format_money(card.sums.deposit_cents, money)]] if card.sums.deposit_cents else []
    return {
        "name": card.name,
        "summary": card.summary,
        "lines": lines,
        "totals": totals,
        "total": [_("Total"), format_money(card.sums.total_cents, money)],
        "deposit": deposit,
    }


def _signature(page: EstimatePage) -> dict[str, str]:
    """Return who signed, when, and the digest of what was signed; nothing before."""
    if not page.approved:
        return {}
    at = f"{format_weekday_date(page.approved.at, 'full_year')}, {format_clock(page.approved.at)}"
    return {
        "title": _("Approved and signed"),
        "name": page.approved.name,
        "text": _("Signed electronically by typed name on %(date)s.") % {"date": at},
        "proof": _("Digest of what was signed: %(digest)s") % {"digest": page.signed_sha256},
    }
