"""Write the demonstration files with the dirt of real exports; run it to make them anew.

The same seed gives the same files. Days lie around 21 November 2026.
"""

import csv
import io
import random
from datetime import date
from pathlib import Path

from demo_cast import (
    PIPES,
    STREETS,
    TOWNS,
    WORK,
    Bill,
    Person,
    cast_bills,
    day,
    line_cents,
    listed,
    make_bills,
    make_people,
    money,
    phone,
)

HERE = Path(__file__).parent

NOTES = (
    "Gate code on file.\nDog in the yard, call first.",
    'Asked for "the tall technician"',
    "Pays by check, then asks; always friendly",
)
CUSTOMER_HEADER = listed(
    "Customer ID|Customer Name|Company|First Name|Last Name|Customer Type|Email|Secondary Email|Phone"
    "|Mobile Phone|Billing Street|Billing Street 2|Billing City|Billing State|Billing Zip|Location Name"
    "|Service Street|Service City|Service State|Service Zip|Tags|Customer Notes|Preferred Language"
)


def customer_rows(people: list[Person], rng: random.Random) -> list[list[str]]:
    """Return the rows of the customer list, with duplicates, blanks and gaps."""
    rows = []
    for index, person in enumerate(people):
        email, second, number, mobile, notes = person.email, "", person.phone, "", ""
        if index > 5:
            if index % 41 == 0:
                email = people[index - 1].email
            elif index % 29 == 0:
                email = ""
            elif index % 23 == 0:
                email = f"  {email.title()} "
            elif index % 37 == 0:
                email, second = f"{email}; office{index}@example.org", f"billing{index}@example.org"
            if index % 17 == 0:
                number = ""
            elif index % 67 == 0:
                number = "555-01" + number[-2:]
            elif index % 71 == 0:
                number = "call after 5"
            if index % 6 == 0:
                mobile = phone(index + 400, rng)
            if index % 13 == 0:
                notes = rng.choice(NOTES)
        state = rng.choice(("AZ", "AZ", "AZ", "Arizona", "az"))
        address = [
            person.street + rng.choice(("", "", " ", "  ")),
            "",
            person.town,
            state,
            person.postal_code,
        ]
        if index % 19 == 7:
            address[1] = f"Unit {rng.randrange(1, 40)}"
        place = ["Home", person.street, person.town, "AZ", person.postal_code]
        tags = rng.choice(("", "", "maintenance plan", "VIP; maintenance plan", "landlord", "cash only"))
        language = "Spanish" if person.last in ("García", "Peña", "Ramírez", "Núñez") else rng.choice(("", "English"))
        row = [
            person.id, person.name, person.company, person.first, person.last,
            "Commercial" if person.company else "Residential", email, second, number, mobile, *address,
            *place, tags, notes, language,
        ]  # fmt: skip
        rows.append(row)
        if index > 5 and index % 26 == 3:
            town, postal_code = rng.choice(TOWNS)
            other = ["Rental", f"{rng.randrange(100, 9900)} {rng.choice(STREETS)}", town, "AZ", postal_code]
            rows.append([*row[:15], *other, tags, "", language])
    return rows


INVOICE_HEADER = listed(
    "Invoice #|Invoice Date|Due Date|Status|Customer ID|Customer Name|Customer Email|PO Number"
    "|Line item name|Quantity|Unit Price|Line item total|Sales Tax|Discount|Invoice Total|Amount Paid"
    "|Balance Due|Message on Invoice"
)


def invoice_rows(bill: Bill, rng: random.Random) -> list[list[str]]:
    """Return one row per line; the header of the invoice is repeated on each, as exports do."""
    paid = "" if bill.status in ("Void", "Draft") else money(bill.received, rng)
    balance = "" if bill.status in ("Void", "Draft") else money(bill.total - bill.received, rng)
    head = [
        str(bill.number),
        day(bill.issued, rng),
        day(bill.due, rng),
        bill.word,
        bill.person.id,
        bill.person.name,
    ]
    head += [bill.person.email if rng.random() < 0.9 else "", bill.po_number]
    tail = [
        money(bill.tax, rng), money(bill.discount, rng) if bill.discount else rng.choice(("", "-", "0.00")),
        money(bill.total, rng), paid, balance, bill.note,
    ]  # fmt: skip
    rows = []
    for text, quantity, price in bill.lines:
        shown = f"{quantity:g}" if rng.random() < 0.8 else f"{quantity:.2f}"
        blank = " " if rng.random() < 0.05 else ""
        amounts = [shown, money(price, rng), money(line_cents(quantity, price), rng)]
        rows.append([*head, f"{text}{blank}", *amounts, *tail])
    return rows


ERROR_CASES: tuple[dict[int, str], ...] = (
    {},
    {14: "-120.00", 11: "-120.00", 10: "-120.00", 12: "0", 15: "", 16: ""},
    {1: "11/20/2026", 2: "11/02/2026"},
    {1: "the 3rd of last month"},
    {4: "C-9999", 5: "Nobody Known", 6: ""},
    {14: "$999.00", 15: "", 16: ""},
    {3: "Paid", 15: "0.00", 16: ""},
    {3: "Open", 15: "$5,000.00", 16: ""},
    {3: "Teleported"},
    {14: "12,34,5"},
    {0: ""},
    {4: "", 5: "", 6: ""},
    {10: "€ 12,00", 11: "€ 12,00", 14: "€ 12,00"},
)


def error_rows(people: list[Person], rng: random.Random) -> list[list[str]]:
    """Return one good invoice, one for each single fault, and a number that two customers share."""
    rows = []
    issued, due = date(2026, 11, 3), date(2026, 12, 3)
    for index, changes in enumerate(ERROR_CASES):
        text, price = WORK[index % len(WORK)]
        row = invoice_rows(Bill(20001 + index, people[index], issued, due, [(text, 1, price)], paid=0), rng)[0]
        for column, value in changes.items():
            row[column] = value
        rows.append(row)
    text, price = WORK[0]
    twice = invoice_rows(Bill(20050, people[3], issued, due, [(text, 1, price)], paid=0), rng)[0]
    other = people[4]
    return [*rows, twice, [*twice[:4], other.id, other.name, other.email, *twice[7:]]]


def write(name: str, header: list[str], rows: list[list[str]], encoding: str, delimiter: str = ",") -> None:
    """Write a file as spreadsheets do, with CR LF; letters the encoding lacks become question marks."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    (HERE / name).write_bytes(text.getvalue().encode(encoding, "replace"))


def write_acme() -> None:
    """Write the files of Acme Heating & Air."""
    rng = random.Random(20261121)
    people = make_people(324, 1001, "C", [("Alice", "Archer"), ("Bob", "Baker")], rng)
    rows = customer_rows(people, rng)
    rows.insert(120, list(rows[100]))
    rows.insert(200, ["C-1399", *[""] * 5, "nameless@example.com", *[""] * (len(CUSTOMER_HEADER) - 7)])
    rows.insert(250, ["", "Forgotten Number", *[""] * (len(CUSTOMER_HEADER) - 2)])
    write("acme-customers.csv", CUSTOMER_HEADER, rows, "utf-8-sig")
    alice, bob = people[:2]
    bills = sorted(
        [*make_bills(people[2:], 1240, 10500, rng, WORK), *cast_bills(alice, bob)],
        key=lambda bill: bill.issued,
    )
    lines = [row for bill in bills for row in invoice_rows(bill, rng)]
    wrong = Bill(19001, people[9], date(2026, 10, 1), date(2026, 9, 1), [("Diagnostic visit", 1, 8900)], paid=0)
    lines.insert(900, invoice_rows(wrong, rng)[0])
    credit = Bill(19002, people[11], date(2026, 10, 2), date(2026, 10, 2), [("Refund, AC tune-up", 1, -12900)], paid=0)
    lines.insert(901, invoice_rows(credit, rng)[0])
    repeated = next(row for row in lines[300:] if row[8].startswith("Diagnostic visit"))
    lines.insert(lines.index(repeated) + 1, list(repeated))
    write("acme-invoices.csv", INVOICE_HEADER, lines, "latin-1")
    write("acme-invoices-with-errors.csv", INVOICE_HEADER, error_rows(people, rng), "utf-8")


GLOBEX_CUSTOMERS = listed("HCP-Id|Display Name|Company|E-mail|Home Number|Street|City|State|Zip|Customer Tags")
GLOBEX_INVOICES = listed("Num|Customer Number|Customer|Date|Due Date|Summary|Subtotal|Tax|Total|Payments|Balance")


def summary_row(bill: Bill, rng: random.Random) -> list[str]:
    """Return an invoice in one row, as programs write that export totals only."""
    amounts = (bill.subtotal - bill.discount, bill.tax, bill.total, bill.received, bill.total - bill.received)
    return [
        str(bill.number),
        bill.person.id,
        bill.person.name,
        bill.issued.isoformat(),
        bill.due.isoformat(),
        ", ".join(text for text, _quantity, _price in bill.lines),
        *(money(cents, rng, plain=True) for cents in amounts),
    ]


def write_globex() -> None:
    """Write the files of Globex Plumbing: another program, another spelling of everything."""
    rng = random.Random(7)
    people = make_people(20, 2001, "G", [("Charlie", "Chen")], rng)
    rows = []
    for person in people:
        address = [person.street, person.town, "AZ", person.postal_code]
        rows.append([person.id, person.name, person.company, person.email, person.phone, *address, ""])
    write("globex-customers.csv", GLOBEX_CUSTOMERS, rows, "cp1252", ";")
    charlie = people[0]
    leak, faucet, drain = (
        ("Leak repair", 1.0, 24500),
        ("Faucet installation", 1.0, 21500),
        ("Drain cleaning", 1.0, 18500),
    )
    bills = [
        Bill(3001, charlie, date(2026, 10, 12), date(2026, 11, 11), [leak], paid=0),
        Bill(3002, charlie, date(2026, 11, 9), date(2026, 12, 9), [faucet], paid=0),
        Bill(3003, charlie, date(2026, 6, 1), date(2026, 7, 1), [drain]),
    ]
    bills += [bill for bill in make_bills(people[1:], 70, 3004, rng, PIPES) if not bill.status][:57]
    write("globex-invoices.csv", GLOBEX_INVOICES, [summary_row(bill, rng) for bill in bills], "utf-8")


if __name__ == "__main__":
    write_acme()
    write_globex()
