"""Answers the question whether a paper that asks for money is the company's own (P-35, AUZ-15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from portal.accounts.client import Client
from portal.invoices.codes import read_short_code, spell_short_code
from portal.invoices.models import Invoice
from tenants.audit import Actor, count_events, record, wait_for_turn

CHECK_FAILED = "invoice.check_failed"
WINDOW = timedelta(hours=1)
LIMIT = 10

Claim = Literal["open", "paid", "withdrawn", "closed"]
_CLAIMS: dict[str, Claim] = {
    Invoice.Status.OPEN: "open",
    Invoice.Status.PARTIALLY_PAID: "open",
    Invoice.Status.PAID: "paid",
    Invoice.Status.VOID: "withdrawn",
    Invoice.Status.WRITTEN_OFF: "closed",
}


class TooManyCodes(Exception):
    """This client has tried too many wrong codes; `wait_seconds` says when the next try is allowed."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"Wait {wait_seconds} seconds.")
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True)
class GenuineInvoice:
    """What the holder of the paper may compare with it; never who owes."""

    code: str
    number: str
    total_cents: int
    open_cents: int
    currency: str
    issued_on: date
    claim: Claim


def check_invoice(*, text: str, client: Client, now: datetime) -> GenuineInvoice | None:
    """Return the invoice of a code, or None, whatever the reason; raises TooManyCodes.

    Only wrong codes count: a company's customers may share one address.
    """
    wait_for_turn(f"check:{client.ip}")
    if count_events(CHECK_FAILED, since=now - WINDOW, ip=client.ip) >= LIMIT:
        raise TooManyCodes(int(WINDOW.total_seconds()))
    code = read_short_code(text)
    found = Invoice.objects.filter(short_code=code, status__in=_CLAIMS).first() if code else None
    if found is None or code is None:
        record(CHECK_FAILED, by=Actor("visitor", None, "", client.ip, client.request_id), now=now)
        return None
    return GenuineInvoice(
        code=spell_short_code(code),
        number=found.number,
        total_cents=found.total_cents,
        open_cents=found.balance_cents,
        currency=found.currency,
        issued_on=found.issued_on,
        claim=_CLAIMS[found.status],
    )
