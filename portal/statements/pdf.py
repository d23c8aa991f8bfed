"""The statement as a tagged PDF, made from the very values that its page shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from portal.statements.selectors import Statement, bucket_words, entry_words
from portal.ui.brand import BrandView
from portal.ui.formats import format_money, format_weekday_date
from portal.ui.paper import compile_typst, letterhead

SOURCE = Path(__file__).with_name("statement.typ")


def render_statement_pdf(statement: Statement, brand: BrandView) -> bytes:
    """Return the PDF in the active language."""
    return compile_typst(SOURCE, _data(statement, brand), about=statement.customer_numbers)


def pdf_name(statement: Statement) -> str:
    """Return a file name that is the same on every system (UPL-07)."""
    return f"statement-{statement.account.first:%Y%m%d}-{statement.account.last:%Y%m%d}.pdf"


def _data(statement: Statement, brand: BrandView) -> dict[str, Any]:
    account = statement.account

    def money(cents: int) -> str:
        return format_money(cents, statement.currency)

    def day(value: Any) -> str:
        return format_weekday_date(value, "year")

    period = _("%(first)s to %(last)s") % {"first": day(account.first), "last": day(account.last)}
    entries = [
        [day(e.on), entry_words(e.kind, e.number, e.text), money(e.cents), money(e.balance_cents)]
        for e in account.entries
    ]
    return letterhead(brand) | {
        "title": _("Statement"),
        "subject": period,
        "facts": [
            [_("Customer"), statement.customer_name],
            [_("Customer no."), statement.customer_numbers],
            [_("Made on"), day(statement.made_on)],
        ],
        "header": [_("Date"), _("What happened"), _("Amount"), _("Balance")],
        "opening": [day(account.first), _("At the beginning"), "", money(account.opening_cents)],
        "entries": entries,
        "closing": [day(account.last), _("Open at the end"), "", money(account.closing_cents)],
        "nothing": "" if entries else _("Nothing happened in this period."),
        "ageing_title": _("How long it has been due"),
        "ageing": [[text, money(cents)] for text, cents in zip(bucket_words(), account.ageing_cents, strict=True)],
    }
