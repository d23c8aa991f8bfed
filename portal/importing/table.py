"""A file as a table: cells by field, how its columns write dates and amounts, which rows belong together."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any, Generic, TypeVar

from .decode import SourceRow
from .fields import fields_by_key
from .issues import RowIssue, error, warning
from .mapping import Mapping
from .parsing.dates import ColumnOrder, DateOrder, decide_order, is_ambiguous, order_evidence, parse_day
from .parsing.money import (
    ColumnMark,
    DecimalMark,
    ValueRefused,
    decide_mark,
    is_empty,
    mark_evidence,
    parse_amount,
    to_cents,
)

Record = TypeVar("Record")

_COMMA_COUNTRIES = frozenset({"DE", "ES", "FR", "IT", "NL", "BE", "AT", "PT", "BR", "AR", "CL", "CO"})


@dataclass(frozen=True, slots=True)
class Locale:
    """What the company's settings say where the file does not: currency, country, time zone."""

    currency: str = "USD"
    country: str = "US"
    zone: tzinfo | None = None

    @property
    def date_order(self) -> DateOrder:
        """Month first in the United States, day first elsewhere."""
        return "mdy" if self.country == "US" else "dmy"

    @property
    def decimal_mark(self) -> DecimalMark:
        """The mark that divides cents in this country."""
        return "," if self.country in _COMMA_COUNTRIES else "."


@dataclass(frozen=True)
class Survey:
    """What one pass over a file found: how columns are written, and the last row of each group."""

    orders: dict[str, ColumnOrder] = field(default_factory=dict)
    marks: dict[str, ColumnMark] = field(default_factory=dict)
    last_rows: dict[str, int] = field(default_factory=dict)
    rows: int = 0

    @property
    def notes(self) -> list[str]:
        """Codes of what the office should confirm: `dates_unproven`, `dates_mixed`, `amounts_mixed`."""
        found = []
        if any(not item.proven and not item.mixed for item in self.orders.values()):
            found.append("dates_unproven")
        if any(item.mixed for item in self.orders.values()):
            found.append("dates_mixed")
        if any(item.mixed for item in self.marks.values()):
            found.append("amounts_mixed")
        return found


@dataclass(frozen=True)
class Parsed(Generic[Record]):
    """A record and what is to be said about it; `record` is None when an error keeps it out."""

    rows: tuple[int, ...]
    record: Record | None
    issues: tuple[RowIssue, ...]


@dataclass(frozen=True)
class Table:
    """Access to cells by field; every reader of a cell takes a list to which it adds what it finds."""

    headers: tuple[str, ...]
    mapping: Mapping
    locale: Locale
    survey: Survey = field(default_factory=Survey)

    def has(self, key: str) -> bool:
        """Tell whether a column feeds this field."""
        return key in self.mapping.columns

    def cell(self, row: SourceRow, key: str) -> str:
        """Return the text of the cell, empty when no column feeds the field."""
        column = self.mapping.columns.get(key)
        return "" if column is None else row.cells[column]

    def header(self, key: str) -> str:
        """Return the header of the column that feeds this field."""
        column = self.mapping.columns.get(key)
        return "" if column is None else self.headers[column]

    def text(self, row: SourceRow, key: str, limit: int, issues: list[RowIssue]) -> str:
        """Return the text on one line, or an empty one when it is longer than `limit`, which is an error."""
        value = " ".join(self.cell(row, key).split())
        if len(value) > limit:
            issues.append(error(row.number, self.header(key), "too_long", value, limit=limit))
            return ""
        return value

    def day(self, row: SourceRow, key: str, issues: list[RowIssue]) -> date | None:
        """Return the day; None when the cell is empty or unreadable, which is an error."""
        value = self.cell(row, key)
        column = self.survey.orders.get(key, ColumnOrder(self.locale.date_order))
        try:
            found = parse_day(value, order=column.order, zone=self.locale.zone)
        except ValueRefused as refused:
            issues.append(error(row.number, self.header(key), refused.code, value))
            return None
        if found and column.mixed and is_ambiguous(value):
            issues.append(warning(row.number, self.header(key), "ambiguous_date", value, day=found.isoformat()))
        return found

    def number(self, row: SourceRow, key: str, issues: list[RowIssue]) -> Decimal | None:
        """Return the number; None when the cell is empty or unreadable, which is an error."""
        value = self.cell(row, key)
        if not value:
            return None
        column = self.survey.marks.get(key, ColumnMark(self.locale.decimal_mark))
        try:
            found = parse_amount(value, mark=column.mark, currency=self.locale.currency)
        except ValueRefused as refused:
            issues.append(error(row.number, self.header(key), refused.code, value, **refused.params))
            return None
        if found is not None and column.mixed and ("," in value or "." in value) and mark_evidence(value) is None:
            issues.append(warning(row.number, self.header(key), "ambiguous_amount", value, amount=f"{found:f}"))
        return found

    def cents(self, row: SourceRow, key: str, issues: list[RowIssue]) -> int | None:
        """Return the amount in cents; fractions of a cent are rounded and reported."""
        amount = self.number(row, key, issues)
        if amount is None:
            return None
        cents, lost = to_cents(amount)
        if lost:
            issues.append(
                warning(row.number, self.header(key), "rounded", self.cell(row, key), amount=show_cents(cents))
            )
        return cents


def show_cents(cents: int) -> str:
    """Return an amount for a message: two places, no currency."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


def survey_rows(rows: Iterable[SourceRow], table: Table, key_of: Callable[[SourceRow], str]) -> Survey:
    """Read all rows once and decide for each column how it writes dates and amounts."""
    content = fields_by_key(table.mapping.kind)
    dates = [key for key in table.mapping.columns if content[key].content == "date"]
    amounts = [key for key in table.mapping.columns if content[key].content in ("money", "number")]
    order_votes: dict[str, Counter[Any]] = {key: Counter() for key in dates}
    mark_votes: dict[str, Counter[Any]] = {key: Counter() for key in amounts}
    last_rows: dict[str, int] = {}
    count = 0
    for row in rows:
        count += 1
        for key in dates:
            order_votes[key][_order_vote(table.cell(row, key))] += 1
        for key in amounts:
            mark_votes[key][mark_evidence(table.cell(row, key))] += 1
        if group := key_of(row):
            last_rows[group] = row.number
    return Survey(_orders(table, order_votes), _marks(table, mark_votes), last_rows, count)


def _order_vote(value: str) -> DateOrder | str | None:
    return order_evidence(value) or ("unknown" if is_ambiguous(value) else None)


def _orders(table: Table, votes: dict[str, Counter[Any]]) -> dict[str, ColumnOrder]:
    if table.mapping.date_order != "auto":
        return {key: ColumnOrder(table.mapping.date_order, proven=True) for key in votes}
    whole = decide_order(sum(votes.values(), Counter()).elements(), default=table.locale.date_order)
    orders = {}
    for key, counter in votes.items():
        column = decide_order(counter.elements(), default=whole.order)
        if not counter["unknown"] or (whole.proven and not column.mixed):
            # Nothing in the column can be misread, or its neighbour has proven how this file writes dates.
            column = ColumnOrder(column.order, proven=True, mixed=column.mixed)
        orders[key] = column
    return orders


def _marks(table: Table, votes: dict[str, Counter[Any]]) -> dict[str, ColumnMark]:
    if table.mapping.decimal_mark != "auto":
        return {key: ColumnMark(table.mapping.decimal_mark, proven=True) for key in votes}
    whole = decide_mark(sum(votes.values(), Counter()).elements(), default=table.locale.decimal_mark)
    return {key: decide_mark(counter.elements(), default=whole.mark) for key, counter in votes.items()}


def iterate_groups(
    rows: Iterable[SourceRow], key_of: Callable[[SourceRow], str], last_rows: dict[str, int]
) -> Iterator[tuple[SourceRow, ...]]:
    """Yield rows that belong together as soon as the last of them is read; the order never changes.

    Only groups whose rows lie apart are held, so a file in order needs the memory of one group.
    """
    waiting: dict[str, list[SourceRow]] = {}
    for row in rows:
        key = key_of(row)
        if not key:
            yield (row,)
            continue
        waiting.setdefault(key, []).append(row)
        if last_rows.get(key, row.number) <= row.number:
            yield tuple(waiting.pop(key))
    yield from (tuple(group) for group in waiting.values())


def present(value: str) -> str:
    """Return the text, or an empty one for the ways to write nothing."""
    return "" if is_empty(value) else value
