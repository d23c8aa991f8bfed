"""Rows of an invoice list become invoices whose amounts agree, or findings."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.importing.table import Locale
from tests.portal.importing.reading import codes, invoices

LINES = "Invoice #,Customer ID,Date,Due Date,Status,Item,Qty,Rate,Amount,Tax,Discount,Total,Paid,Balance\n"
TOTALS = "Invoice #,Customer,Date,Due Date,Status,Tax,Total,Paid Amount\n"


def test_rows_with_one_number_are_the_lines_of_one_invoice() -> None:
    text = LINES + (
        "7,C-1,11/04/2026,12/04/2026,Open,Labor,2,100.00,200.00,10.00,5.00,305.00,50.00,255.00\n"
        "7,C-1,11/04/2026,12/04/2026,Open,Parts,1,$100.00,$100.00,10.00,5.00,305.00,50.00,255.00\n"
        "8,C-1,11/05/2026,,,Visit,1,89,89,,,89,89,0\n"
    )
    first, second = invoices(text)
    invoice = first.record
    assert invoice is not None
    assert (invoice.number, invoice.issued_on, invoice.due_on) == ("7", date(2026, 11, 4), date(2026, 12, 4))
    assert [(line.description, line.total_cents) for line in invoice.lines] == [
        ("Labor", 20000),
        ("Parts", 10000),
    ]
    assert (invoice.subtotal_cents, invoice.discount_cents, invoice.tax_cents) == (30000, 500, 1000)
    assert (invoice.total_cents, invoice.paid_cents, invoice.status) == (30500, 5000, "partially_paid")
    assert second.record is not None
    assert second.record.status == "paid"
    assert codes(second) == ["no_due_date"]


def test_lines_of_one_invoice_may_lie_apart() -> None:
    text = (
        f"{LINES}7,C-1,2026-11-04,,,A,1,1,1,,,3,,\n8,C-1,2026-11-04,,,B,1,5,5,,,5,,\n7,C-1,2026-11-04,,,C,1,2,2,,,3,,\n"
    )
    assert [(item.record.number, item.rows) for item in invoices(text) if item.record] == [
        ("8", (3,)),
        ("7", (2, 4)),
    ]


def test_tax_may_stand_on_each_line_in_parts() -> None:
    text = LINES + "7,C-1,2026-11-04,,,A,1,100,100,8,,214,,\n7,C-1,2026-11-04,,,B,1,100,100,6,,214,,\n"
    (parsed,) = invoices(text)
    assert parsed.record is not None
    assert parsed.record.tax_cents == 1400


def test_the_same_invoice_twice_with_two_totals_is_refused() -> None:
    """A list of invoices has no lines that could be added up: one of the two rows is wrong."""
    (parsed,) = invoices(TOTALS + "7,Ana,2026-11-04,2026-12-04,Open,,5.00,\n7,Ana,2026-11-04,2026-12-04,Open,,6.00,\n")
    assert parsed.record is None
    assert codes(parsed) == ["INVOICE_DIFFERS"]


def test_an_invoice_without_lines_gets_one_for_its_net_amount() -> None:
    (parsed,) = invoices(TOTALS + "7,Ana,2026-11-04,2026-12-04,Open,8.00,108.00,\n")
    assert parsed.record is not None
    assert [line.total_cents for line in parsed.record.lines] == [10000]
    assert parsed.record.lines[0].description == "Invoice 7"


CASES = {
    "a negative total": ("7,Ana,2026-11-04,,,0,-5.00,", ["NEGATIVE_TOTAL"]),
    "a due date before the invoice date": ("7,Ana,2026-11-04,2026-11-03,,0,5,", ["DUE_BEFORE_ISSUE"]),
    "no date": ("7,Ana,,,,0,5,", ["MISSING_DATE"]),
    "an unreadable date": ("7,Ana,yesterday,,,0,5,", ["NOT_A_DATE"]),
    "no customer": ("7,,2026-11-04,2026-11-04,,0,5,", ["MISSING_CUSTOMER"]),
    "no number": (",Ana,2026-11-04,,,0,5,", ["MISSING_NUMBER"]),
    "no amount": ("7,Ana,2026-11-04,2026-11-04,,,,", ["MISSING_AMOUNT"]),
    "an unreadable amount": ("7,Ana,2026-11-04,2026-11-04,,0,five,", ["NOT_A_NUMBER"]),
    "more paid than billed": ("7,Ana,2026-11-04,2026-11-04,,0,5,6", ["PAID_BEYOND_TOTAL"]),
    "a negative payment": ("7,Ana,2026-11-04,2026-11-04,,0,5,-1", ["NEGATIVE_PAID"]),
    "paid, but not all of it": ("7,Ana,2026-11-04,2026-11-04,Paid,0,5,1", ["PAID_BUT_DUE"]),
    "a void invoice with a payment": ("7,Ana,2026-11-04,2026-11-04,Void,0,5,1", ["VOID_BUT_PAID"]),
    "an unknown status": ("7,Ana,2026-11-04,2026-11-04,Lost,0,5,", ["UNKNOWN_STATUS"]),
    "another currency": ("7,Ana,2026-11-04,2026-11-04,,0,€5,", ["OTHER_CURRENCY"]),
    "a line of totals": ("TOTAL,,,,,,5000,", ["MISSING_CUSTOMER", "MISSING_DATE"]),
    "a footer without number": (",,,,,,5000,", ["no_invoice"]),
    "a number that is too long": ("7" * 41 + ",Ana,2026-11-04,2026-11-04,,0,5,", ["TOO_LONG"]),
}


@pytest.mark.parametrize("name", CASES)
def test_an_impossible_invoice_is_refused_for_its_own_reason(name: str) -> None:
    row, expected = CASES[name]
    (parsed,) = invoices(f"{TOTALS}{row}\n")
    assert [code for code in codes(parsed) if code != "no_due_date"] == expected
    assert parsed.record is None
    assert all("%(" not in issue.message for issue in parsed.issues)


@pytest.mark.parametrize(
    ("row", "status", "paid"),
    [
        ("7,Ana,2026-11-04,,Paid,0,5,", "paid", 500),
        ("7,Ana,2026-11-04,,Pagada,0,5,5", "paid", 500),
        ("7,Ana,2026-11-04,,Overdue 5 days,0,5,", "open", 0),
        ("7,Ana,2026-11-04,,,0,5,2", "partially_paid", 200),
        ("7,Ana,2026-11-04,,Draft,0,5,", "draft", 0),
        ("7,Ana,2026-11-04,,Canceled,0,5,0", "void", 0),
        ("7,Ana,2026-11-04,,Bad debt,0,5,1", "written_off", 100),
        ("7,Ana,2026-11-04,,Open,0,0,", "paid", 0),
    ],
)
def test_the_status_follows_the_money(row: str, status: str, paid: int) -> None:
    (parsed,) = invoices(f"{TOTALS}{row}\n")
    assert parsed.record is not None
    assert (parsed.record.status, parsed.record.paid_cents) == (status, paid)


def test_an_open_invoice_without_balance_is_paid_and_said_so() -> None:
    (parsed,) = invoices(f"{TOTALS}7,Ana,2026-11-04,2026-11-04,Open,0,5,5\n")
    assert codes(parsed) == ["paid_although_open"]


def test_lines_that_miss_the_total_are_an_error_and_a_cent_is_a_rounding_line() -> None:
    (wrong,) = invoices(LINES + "7,C-1,2026-11-04,2026-11-04,,A,1,5,5,,,9,,\n")
    assert codes(wrong) == ["TOTAL_DIFFERS"]
    (close,) = invoices(LINES + "7,C-1,2026-11-04,2026-11-04,,A,3,3.333,9.99,,,10.00,,\n")
    assert close.record is not None
    assert [line.total_cents for line in close.record.lines] == [999, 1]
    assert "rounding_line" in codes(close)


def test_the_same_row_twice_is_imported_once_unless_the_total_says_it_is_meant() -> None:
    row = "7,C-1,2026-11-04,2026-11-04,,Filter,1,20,20,,,{total},,\n"
    (once,) = invoices(LINES + row.format(total=20) * 2)
    assert once.record is not None
    assert len(once.record.lines) == 1
    assert codes(once) == ["duplicate_row"]
    (twice,) = invoices(LINES + row.format(total=40) * 2)
    assert twice.record is not None
    assert len(twice.record.lines) == 2
    (summary,) = invoices(TOTALS + "7,Ana,2026-11-04,2026-11-04,,0,5,\n" * 2)
    assert codes(summary) == ["duplicate_row"]


def test_one_number_for_two_customers_is_an_error() -> None:
    (parsed,) = invoices(TOTALS + "7,Ana,2026-11-04,2026-11-04,,0,5,\n7,Ben,2026-11-04,2026-11-04,,0,5,\n")
    assert parsed.record is None
    assert codes(parsed) == ["INVOICE_DIFFERS"]
    assert "row 2" in parsed.issues[0].message.lower()


def test_one_invoice_id_for_two_numbers_is_an_error() -> None:
    text = "Invoice ID,Number,Customer,Date,Total\nx1,7,Ana,2026-11-04,5\nx1,8,Ana,2026-11-04,5\n"
    assert codes(invoices(text)[1]) == ["INVOICE_ID_TWICE"]


def test_day_first_is_decided_for_the_whole_column() -> None:
    text = TOTALS + "7,Ana,03/04/2026,04/04/2026,,0,5,\n8,Ana,25/04/2026,26/04/2026,,0,5,\n"
    assert [item.record.issued_on for item in invoices(text) if item.record] == [
        date(2026, 4, 3),
        date(2026, 4, 25),
    ]


def test_without_evidence_the_country_decides() -> None:
    text = TOTALS + "7,Ana,03/04/2026,04/05/2026,,0,5,\n"
    assert [item.record.issued_on for item in invoices(text) if item.record] == [date(2026, 3, 4)]
    british = Locale(currency="GBP", country="GB")
    assert [item.record.issued_on for item in invoices(text, british) if item.record] == [date(2026, 4, 3)]


def test_contradicting_dates_are_read_by_majority_and_each_doubtful_one_is_named() -> None:
    days = ["25/04/2026", "26/04/2026", "04/27/2026", "03/04/2026"]
    rows = "".join(f"{number},Ana,{day},2026-12-31,,0,5,\n" for number, day in enumerate(days))
    parsed = invoices(TOTALS + rows)
    assert [codes(item) for item in parsed] == [[], [], [], ["ambiguous_date"]]


def test_decimal_commas_are_decided_for_the_whole_column() -> None:
    text = "Number;Customer;Date;Total\n7;Ana;2026-11-04;1.234\n8;Ana;2026-11-04;1.234,50\n"
    assert [item.record.total_cents for item in invoices(text) if item.record] == [123400, 123450]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 500_00)), min_size=1, max_size=6),
    st.integers(0, 100_00),
    st.integers(0, 100),
)
def test_whatever_is_accepted_adds_up(lines: list[tuple[int, int]], tax: int, share: int) -> None:
    net = sum(quantity * price for quantity, price in lines)
    total = net + tax
    paid = total * share // 100

    def show(cents: int) -> str:
        return f"${cents // 100:,}.{cents % 100:02}"

    text = LINES.replace(",", ";") + "".join(
        f"7;C-1;2026-11-04;2026-12-04;;x;{quantity};{show(price)};{show(quantity * price)};"
        f"{show(tax)};;{show(total)};{show(paid)};\n"
        for quantity, price in lines
    )
    (parsed,) = invoices(text)
    invoice = parsed.record
    assert invoice is not None
    assert invoice.total_cents == total == invoice.subtotal_cents - invoice.discount_cents + invoice.tax_cents
    assert sum(line.total_cents for line in invoice.lines) == invoice.subtotal_cents
    assert 0 <= invoice.paid_cents == paid
