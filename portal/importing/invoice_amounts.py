"""Make the amounts of one invoice agree: lines, discount, tax, total, what is paid and what is left."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from django.utils.translation import gettext as _

from .decode import SourceRow
from .issues import RowIssue, error, warning
from .parsing.money import to_cents
from .table import Table, present, show_cents

MAX_LINES = 500


@dataclass(frozen=True, slots=True)
class LineInput:
    """One line; `total_cents` is what counts, the unit price is rounded for display."""

    description: str
    quantity: Decimal
    unit_price_cents: int
    total_cents: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """Amounts for which total = subtotal − discount + tax and 0 ≤ paid ≤ total hold."""

    lines: tuple[LineInput, ...]
    subtotal_cents: int
    discount_cents: int
    tax_cents: int
    total_cents: int
    paid_cents: int


@dataclass(frozen=True, slots=True)
class _Column:
    """One amount column over the rows of an invoice."""

    values: tuple[int | None, ...]

    @property
    def filled(self) -> list[int]:
        return [value for value in self.values if value is not None]

    @property
    def constant(self) -> int | None:
        return self.filled[0] if self.filled and len(set(self.filled)) == 1 else None

    @property
    def readings(self) -> list[int]:
        """The amount for the whole invoice: repeated on each row, or a part on each row."""
        readings = [] if self.constant is None else [self.constant]
        total = sum(self.filled)
        return readings if total in readings else [*readings, total]


def settle_amounts(
    group: tuple[SourceRow, ...], table: Table, said: str, number: str, issues: list[RowIssue]
) -> Amounts | None:
    """Return amounts that agree, or None with an error among the issues; `said` is the status in the file."""
    before = len(issues)
    columns = {
        key: _Column(tuple(table.cents(row, key, issues) for row in group))
        for key in (
            "line_total",
            "unit_price",
            "tax",
            "discount",
            "subtotal",
            "total",
            "amount_paid",
            "balance",
        )
    }
    if any(issue.severity == "error" for issue in issues[before:]):
        return None
    itemized = any(table.has(key) for key in ("line_description", "quantity", "unit_price"))
    differing = len(columns["total"].filled) > 1 and columns["total"].constant is None
    if itemized and differing and not columns["line_total"].filled:
        # Some exports call the amount of each line its total. A list without lines has the same invoice twice.
        columns["line_total"], columns["total"] = columns["total"], _Column(())
    total = _one(group, "total", columns, table, issues)
    paid = _one(group, "amount_paid", columns, table, issues)
    balance = _one(group, "balance", columns, table, issues)
    subtotal = _one(group, "subtotal", columns, table, issues)
    if any(issue.severity == "error" for issue in issues[before:]):
        return None
    if total is None and paid is not None and balance is not None:
        total = paid + balance
    found = _lines(group, columns, table, issues)
    if any(issue.severity == "error" for issue in issues[before:]):
        return None
    settled = _settle(group, found, columns, subtotal, total, number, table, issues)
    if settled is None:
        return None
    lines, tax, discount, total = settled
    if not _total_is_possible(group[0], total, table, issues):
        return None
    paid_cents = _paid(group[0], said, total, paid, balance, table, issues)
    if paid_cents is None:
        return None
    return Amounts(tuple(lines), sum(line.total_cents for line in lines), discount, tax, total, paid_cents)


def _one(
    group: tuple[SourceRow, ...], key: str, columns: dict[str, _Column], table: Table, issues: list[RowIssue]
) -> int | None:
    column = columns[key]
    if not column.filled or column.constant is not None:
        return column.constant
    first = next(position for position, value in enumerate(column.values) if value is not None)
    other = next(position for position, value in enumerate(column.values) if value not in (None, column.values[first]))
    issues.append(
        error(
            group[other].number,
            table.header(key),
            "invoice_differs",
            table.cell(group[other], key),
            other=group[first].number,
            theirs=table.cell(group[first], key),
        )
    )
    return None


def _lines(
    group: tuple[SourceRow, ...], columns: dict[str, _Column], table: Table, issues: list[RowIssue]
) -> list[tuple[SourceRow, LineInput | None]]:
    return [
        (row, _line(row, columns["line_total"].values[position], table, issues)) for position, row in enumerate(group)
    ]


def _line(row: SourceRow, amount: int | None, table: Table, issues: list[RowIssue]) -> LineInput | None:
    """Return the line of this row, or None when the row prices nothing."""
    description = present(table.cell(row, "line_description"))[:500]
    quantity = table.number(row, "quantity", issues)
    price = table.number(row, "unit_price", [])
    quantity = Decimal(1) if quantity is None else quantity
    if price is None and amount is None:
        return None
    if price is None:
        price = Decimal(amount or 0) / 100 / quantity if quantity else Decimal(0)
    counted = to_cents(price * quantity)[0]
    if amount is None:
        amount = counted
    elif table.has("unit_price") and table.has("quantity") and abs(amount - counted) > 1:
        issues.append(
            warning(
                row.number,
                table.header("line_total"),
                "line_total_differs",
                table.cell(row, "line_total"),
                product=show_cents(counted),
            )
        )
    return LineInput(description, quantity, to_cents(price)[0], amount)


def _settle(
    group: tuple[SourceRow, ...],
    found: list[tuple[SourceRow, LineInput | None]],
    columns: dict[str, _Column],
    subtotal: int | None,
    total: int | None,
    number: str,
    table: Table,
    issues: list[RowIssue],
) -> tuple[list[LineInput], int, int, int] | None:
    """Return lines, tax, discount and total that agree."""
    taxes = columns["tax"].readings
    discounts = [abs(amount) for amount in columns["discount"].readings]
    lines = [line for _row, line in found if line is not None]
    if not lines:
        return _settle_without_lines(group, taxes[0], discounts[0], subtotal, total, number, table, issues)
    if total is None:
        _warn_of_repeated_tax(group, columns["tax"], table, issues)
        return (
            lines,
            taxes[0],
            discounts[0],
            sum(line.total_cents for line in lines) - discounts[0] + taxes[0],
        )
    once = _without_repeats(found)
    for candidate in [lines, once] if len(once) < len(lines) else [lines]:
        net = sum(line.total_cents for line in candidate)
        # The last reading: lines already carry the discount, and its column only tells how much it was.
        for tax, discount in product(taxes, dict.fromkeys([*discounts, 0])):
            if net - discount + tax == total:
                if candidate is once:
                    issues.extend(_repeats(group, table))
                return candidate, tax, discount, total
    return _settle_rounding(group, lines, taxes[0], discounts[0], total, table, issues)


def _settle_rounding(
    group: tuple[SourceRow, ...],
    lines: list[LineInput],
    tax: int,
    discount: int,
    total: int,
    table: Table,
    issues: list[RowIssue],
) -> tuple[list[LineInput], int, int, int] | None:
    counted = sum(line.total_cents for line in lines) - discount + tax
    missing = total - counted
    if abs(missing) > len(lines):
        shown = {"sum": show_cents(counted), "total": show_cents(total)}
        text = table.cell(group[0], "total")
        issues.append(error(group[0].number, table.header("total"), "total_differs", text, **shown))
        return None
    issues.append(warning(group[0].number, table.header("total"), "rounding_line", difference=show_cents(missing)))
    return [*lines, LineInput(_("Rounding"), Decimal(1), missing, missing)], tax, discount, total


def _settle_without_lines(
    group: tuple[SourceRow, ...],
    tax: int,
    discount: int,
    subtotal: int | None,
    total: int | None,
    number: str,
    table: Table,
    issues: list[RowIssue],
) -> tuple[list[LineInput], int, int, int] | None:
    """Make one line of an invoice of which the file tells only totals."""
    repeats = [row for row in group[1:] if row.cells == group[0].cells]
    if len(repeats) == len(group) - 1:
        issues.extend(warning(row.number, "", "duplicate_row", other=group[0].number) for row in repeats)
    if total is None:
        if subtotal is None:
            issues.append(error(group[0].number, table.header("total"), "missing_amount"))
            return None
        total = subtotal - discount + tax
    if total < 0:
        # Let the caller say so; a made-up line would only add a second, confusing finding.
        return [], 0, 0, total
    net = total - tax + discount
    if subtotal is not None and subtotal != net:
        if subtotal + tax == total:
            net, discount = subtotal, 0
        else:
            shown = {"sum": show_cents(subtotal - discount + tax), "total": show_cents(total)}
            text = table.cell(group[0], "total")
            issues.append(error(group[0].number, table.header("total"), "total_differs", text, **shown))
            return None
    texts = dict.fromkeys(present(table.cell(row, "line_description")) for row in group)
    description = ", ".join(text for text in texts if text)[:500] or _("Invoice %(number)s") % {"number": number}
    return [LineInput(description, Decimal(1), net, net)], tax, discount, total


def _without_repeats(found: list[tuple[SourceRow, LineInput | None]]) -> list[LineInput]:
    once: dict[tuple[str, ...], LineInput] = {}
    for row, line in found:
        if line is not None:
            once.setdefault(row.cells, line)
    return list(once.values())


def _repeats(group: tuple[SourceRow, ...], table: Table) -> list[RowIssue]:
    first: dict[tuple[str, ...], int] = {}
    return [
        warning(row.number, table.header("number"), "duplicate_row", other=first[row.cells])
        for row in group
        if first.setdefault(row.cells, row.number) != row.number
    ]


def _warn_of_repeated_tax(group: tuple[SourceRow, ...], column: _Column, table: Table, issues: list[RowIssue]) -> None:
    if len(column.filled) > 1 and column.constant:
        issues.append(warning(group[0].number, table.header("tax"), "tax_once", table.cell(group[0], "tax")))


def _total_is_possible(row: SourceRow, total: int, table: Table, issues: list[RowIssue]) -> bool:
    if total >= 0:
        return True
    header = table.header("total") or table.header("line_total")
    issues.append(error(row.number, header, "negative_total", show_cents(total)))
    return False


def _paid(
    row: SourceRow,
    said: str,
    total: int,
    paid: int | None,
    balance: int | None,
    table: Table,
    issues: list[RowIssue],
) -> int | None:
    """Return what was paid before, from the amount paid, the balance or the status, in this order."""
    header = table.header("amount_paid") or table.header("balance")
    shown = {"total": show_cents(total), "paid": show_cents(paid or 0), "balance": show_cents(balance or 0)}
    if said in ("void", "draft"):
        if paid:
            issues.append(error(row.number, header, "void_but_paid", shown["paid"]))
            return None
        return 0
    if paid is not None and balance is not None and paid <= total and total - paid != balance and said != "written_off":
        issues.append(error(row.number, table.header("balance"), "balance_differs", shown["balance"], **shown))
        return None
    if paid is None:
        paid = total - balance if balance is not None else total if said == "paid" else 0
    if paid < 0:
        issues.append(error(row.number, header, "negative_paid", show_cents(paid)))
        return None
    if paid > total:
        shown = {"paid": show_cents(paid), "total": show_cents(total)}
        issues.append(error(row.number, header, "paid_beyond_total", shown["paid"], **shown))
        return None
    if said == "paid" and paid < total:
        issues.append(error(row.number, header, "paid_but_due", show_cents(paid), due=show_cents(total - paid)))
        return None
    return paid
