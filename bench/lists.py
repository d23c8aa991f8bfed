"""Lists of any length for the import, written as other programs export them; the same size gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

_NAMES = ("Ana Adams", "Ben Brooks", "Carla García", "Dev Patel", "Elena Müller", "Frank Núñez", "Grace Okafor")
_STREETS = ("Saguaro Ln", "Palo Verde Dr", "Camelback Ct", "Mesquite St", "Ocotillo Way")
_WORK = ("AC tune-up", "Furnace tune-up", "Diagnostic visit", "Duct cleaning", "Labor, per hour")
_FIRST_DAY = date(2024, 12, 1)
_CHUNK = 1_000


def customer_list(size: int) -> Iterator[bytes]:
    """Yield a list of `size` customers, one row each, in pieces."""
    header = "Customer ID,Customer Name,Email,Phone,Billing Street,Billing City,Billing State,Billing Zip\r\n"
    yield from _in_pieces(header, map(_customer, range(size)))


def invoice_list(size: int) -> Iterator[bytes]:
    """Yield a list of `size` invoices of those customers, one row each, in pieces."""
    header = (
        "Invoice #,Invoice Date,Due Date,Status,Customer ID,Line item name,Quantity,Unit Price,"
        "Line item total,Sales Tax,Invoice Total,Amount Paid,Balance Due\r\n"
    )
    yield from _in_pieces(header, (_invoice(number, size) for number in range(size)))


def _customer(number: int) -> str:
    name = _NAMES[number % len(_NAMES)]
    street = f"{100 + number % 9_000} {_STREETS[number % len(_STREETS)]}"
    phone = f"(602) 555-01{number % 100:02}"
    return f"B-{number},{name} {number},person{number}@example.com,{phone},{street},Phoenix,AZ,85014\r\n"


def _invoice(number: int, customers: int) -> str:
    issued = _FIRST_DAY + timedelta(days=number % 700)
    due = issued + timedelta(days=30)
    price = 5_000 + number * 37 % 90_000
    tax = (price * 86 + 500) // 1_000
    total = price + tax
    paid = 0 if number % 4 == 0 else total
    amounts = ",".join(_money(cents) for cents in (price, price, tax, total, paid, total - paid))
    work = f'"{_WORK[number % len(_WORK)]}"'
    # 7919 is prime, so the invoices are spread over the customers.
    customer = f"B-{number * 7_919 % customers}"
    status = "Paid" if paid else "Open"
    return f"{900_000 + number},{issued:%m/%d/%Y},{due:%m/%d/%Y},{status},{customer},{work},1,{amounts}\r\n"


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _in_pieces(header: str, rows: Iterator[str]) -> Iterator[bytes]:
    piece = [header]
    for row in rows:
        piece.append(row)
        if len(piece) >= _CHUNK:
            yield "".join(piece).encode()
            piece = []
    if piece:
        yield "".join(piece).encode()
