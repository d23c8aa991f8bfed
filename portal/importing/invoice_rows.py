"""Rows of an invoice list become invoices; rows with the same number are the lines of one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .decode import SourceRow
from .invoice_amounts import Amounts, LineInput, settle_amounts
from .issues import RowIssue, error, warning
from .parsing.contacts import parse_emails
from .parsing.money import ValueRefused, parse_currency
from .parsing.words import fold
from .table import Parsed, Table, iterate_groups, present

_STATUS_WORDS = """
draft draft|borrador|unsent|not sent|pending draft
open open|sent|unpaid|due|overdue|past due|awaiting payment|outstanding|posted|pending|issued|exported
open approved|no|abierta|abierto|pendiente|enviada|vencida|por pagar|emitida|not paid|current|late
open partial|partially paid|partial payment|parcial|viewed|in progress|active|bad debt pending
paid paid|paid in full|closed|yes|complete|completed|settled|pagada|pagado|cerrada|si|full
void void|voided|canceled|cancelled|deleted|anulada|cancelada|nula
written_off written off|write off|bad debt|uncollectible|incobrable
"""
_STATUSES = {
    word: line.partition(" ")[0]
    for line in _STATUS_WORDS.strip().split("\n")
    for word in line.partition(" ")[2].split("|")
}
_HEADER_TEXTS = (
    "external_id",
    "customer_external_id",
    "customer_name",
    "po_number",
    "note",
    "status",
    "currency",
)
_LIMITS = {"number": 40, "external_id": 80, "customer_external_id": 80, "customer_name": 200, "po_number": 60}


@dataclass(frozen=True, slots=True)
class InvoiceInput:
    """An invoice as the file describes it; total = Σ lines − discount + tax, paid ≤ total."""

    number: str
    external_id: str
    customer_external_id: str
    customer_name: str
    customer_email: str
    issued_on: date
    due_on: date
    status: str
    currency: str
    po_number: str
    note: str
    lines: tuple[LineInput, ...]
    subtotal_cents: int
    discount_cents: int
    tax_cents: int
    total_cents: int
    paid_cents: int


def invoice_key(table: Table) -> Callable[[SourceRow], str]:
    """Return what tells which rows are one invoice: its number, or its ID where there is no number."""
    return lambda row: present(table.cell(row, "number")) or present(table.cell(row, "external_id"))


def read_invoices(rows: Iterable[SourceRow], table: Table) -> Iterator[Parsed[InvoiceInput]]:
    """Yield one result per invoice, in the order of their last rows."""
    seen_ids: dict[str, int] = {}
    for group in iterate_groups(rows, invoice_key(table), table.survey.last_rows):
        parsed = _read_group(group, table)
        if parsed.record is not None and parsed.record.external_id:
            top = group[0].number
            first = seen_ids.setdefault(parsed.record.external_id, top)
            if first != top:
                finding = error(
                    top,
                    table.header("external_id"),
                    "invoice_id_twice",
                    parsed.record.external_id,
                    other=first,
                )
                parsed = Parsed(parsed.rows, None, (*parsed.issues, finding))
        yield parsed


def _read_group(group: tuple[SourceRow, ...], table: Table) -> Parsed[InvoiceInput]:
    issues: list[RowIssue] = []
    numbers = tuple(row.number for row in group)
    top = group[0]
    number = invoice_key(table)(top)
    if not number:
        return Parsed(numbers, None, (_without_number(top, table),))
    issues += [error(row.number, "", "too_many_cells") for row in group if row.overflow]
    if not any(issue.severity == "error" for issue in issues):
        record = _read_invoice(group, number, table, issues)
        if record is not None and not any(issue.severity == "error" for issue in issues):
            return Parsed(numbers, record, tuple(issues))
    return Parsed(numbers, None, tuple(issues))


def _without_number(row: SourceRow, table: Table) -> RowIssue:
    """Totals and titles in reports name no invoice, customer or date; anything else lacks its number."""
    named = any(
        present(table.cell(row, key))
        for key in (
            "customer_external_id",
            "customer_name",
            "customer_email",
            "issued_on",
            "line_description",
        )
    )
    if named and not fold(table.cell(row, "customer_name")).startswith("total"):
        return error(row.number, table.header("number"), "missing_number")
    return warning(row.number, "", "no_invoice")


def _read_invoice(
    group: tuple[SourceRow, ...], number: str, table: Table, issues: list[RowIssue]
) -> InvoiceInput | None:
    top = group[0]
    texts = {key: _agreed(group, key, table, issues) for key in _HEADER_TEXTS}
    for key, limit in _LIMITS.items():
        value = number if key == "number" else texts[key]
        if len(value) > limit:
            issues.append(error(top.number, table.header(key), "too_long", value, limit=limit))
    email = _email(group, table, issues)
    if not (texts["customer_external_id"] or texts["customer_name"] or email):
        header = table.header("customer_external_id") or table.header("customer_name")
        issues.append(error(top.number, header, "missing_customer"))
    issued_on = _agreed_day(group, "issued_on", table, issues)
    due_on = _agreed_day(group, "due_on", table, issues)
    if issued_on and due_on and due_on < issued_on:
        due_text = table.cell(top, "due_on")
        issues.append(
            error(top.number, table.header("due_on"), "due_before_issue", due_text, due=due_on, issued=issued_on)
        )
    if issued_on is None and not any(issue.column == table.header("issued_on") for issue in issues):
        issues.append(error(top.number, table.header("issued_on"), "missing_date"))
    if issued_on and due_on is None and table.has("due_on"):
        issues.append(warning(top.number, table.header("due_on"), "no_due_date"))
    currency = _currency(top, texts["currency"], table, issues)
    said = _status(top, texts["status"], table, issues)
    if any(issue.code == "invoice_differs" for issue in issues):
        # Rows of two invoices under one number: their amounts would only add findings that say nothing.
        return None
    amounts = settle_amounts(group, table, said, number, issues)
    if amounts is None or issued_on is None or any(issue.severity == "error" for issue in issues):
        return None
    status = _final_status(top, said, amounts, table, issues)
    return InvoiceInput(
        number=number,
        external_id=texts["external_id"],
        customer_external_id=texts["customer_external_id"],
        customer_name=texts["customer_name"],
        customer_email=email,
        issued_on=issued_on,
        due_on=due_on or issued_on,
        status=status,
        currency=currency,
        po_number=texts["po_number"],
        note=texts["note"][:2000],
        lines=amounts.lines,
        subtotal_cents=amounts.subtotal_cents,
        discount_cents=amounts.discount_cents,
        tax_cents=amounts.tax_cents,
        total_cents=amounts.total_cents,
        paid_cents=amounts.paid_cents,
    )


def _agreed(group: tuple[SourceRow, ...], key: str, table: Table, issues: list[RowIssue]) -> str:
    """Return what the rows of one invoice say in a column of its header; blank cells agree with all."""
    found, where = "", 0
    for row in group:
        value = present(table.cell(row, key))
        if key != "note":
            value = " ".join(value.split())
        if value and not found:
            found, where = value, row.number
        elif value and value != found and key == "note":
            # Free text may differ from line to line; the first one speaks for the invoice.
            continue
        elif value and value.casefold() != found.casefold():
            issues.append(
                error(row.number, table.header(key), "invoice_differs", value, other=where, theirs=found[:60])
            )
            break
    return found


def _agreed_day(group: tuple[SourceRow, ...], key: str, table: Table, issues: list[RowIssue]) -> date | None:
    found: date | None = None
    where = 0
    for row in group:
        day = table.day(row, key, issues)
        if day and found is None:
            found, where = day, row.number
        elif day and day != found:
            value = table.cell(row, key)
            issues.append(error(row.number, table.header(key), "invoice_differs", value, other=where, theirs=found))
            break
    return found


def _email(group: tuple[SourceRow, ...], table: Table, issues: list[RowIssue]) -> str:
    good, bad = parse_emails(_agreed(group, "customer_email", table, issues))
    issues += [warning(group[0].number, table.header("customer_email"), "bad_email", piece) for piece in bad]
    return good[0] if good else ""


def _currency(row: SourceRow, text: str, table: Table, issues: list[RowIssue]) -> str:
    wanted = table.locale.currency
    try:
        currency = parse_currency(text) or wanted
    except ValueRefused as refused:
        issues.append(error(row.number, table.header("currency"), refused.code, text))
        return wanted
    if currency != wanted:
        issues.append(error(row.number, table.header("currency"), "other_currency", text, currency=wanted))
    return currency


def _status(row: SourceRow, text: str, table: Table, issues: list[RowIssue]) -> str:
    """Return draft, open, paid, void, written_off, or an empty text where the file does not say."""
    if not text:
        return ""
    word = fold(text)
    for prefix in ("overdue", "past due", "paid on", "due in", "due on", "sent on"):
        if word.startswith(prefix):
            word = prefix.split()[0]
    status = _STATUSES.get(word)
    if status is None:
        issues.append(error(row.number, table.header("status"), "unknown_status", text))
    return status or ""


def _final_status(row: SourceRow, said: str, amounts: Amounts, table: Table, issues: list[RowIssue]) -> str:
    """Money decides between open, partially paid and paid; the file decides the rest."""
    if said in ("draft", "void", "written_off"):
        return said
    if amounts.paid_cents >= amounts.total_cents:
        if said == "open" and amounts.total_cents > 0:
            text = table.cell(row, "status")
            issues.append(warning(row.number, table.header("status"), "paid_although_open", text))
        return "paid"
    return "partially_paid" if amounts.paid_cents else "open"


def line_as_json(line: LineInput) -> dict[str, str | int]:
    """Return a line in the shape of `Invoice.lines`; the quantity is a decimal number in a text."""
    return {
        "description": line.description,
        "quantity": plain_quantity(line.quantity),
        "unit_price_cents": line.unit_price_cents,
        "amount_cents": line.total_cents,
        "tax_cents": 0,
        "kind": "service",
    }


def plain_quantity(quantity: Decimal) -> str:
    """Return the number without needless zeros and never with an exponent."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
