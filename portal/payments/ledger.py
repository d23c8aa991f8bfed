"""The journal: money effects as balanced legs, posted exactly once, with the counters they back (Decided 17)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Case, F, Q, Value, When

from portal.invoices.models import Invoice
from portal.payments.models import Credit, Journal, Payment, PaymentAllocation
from tenants.schema.models import NumberSequence

PAYABLE = (Invoice.Status.OPEN, Invoice.Status.PARTIALLY_PAID)


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a money effect."""

    account: str
    delta_cents: int
    invoice_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What happened, by the name of the thing that made it happen; posted once for ever (PAY-09)."""

    kind: str
    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a payment meant for one invoice."""

    invoice_id: UUID
    amount_cents: int


Effect = tuple[Source, list[Leg]]


class Unbalanced(ValueError):
    """The legs of one source do not sum to zero (PAY-15)."""


def split_received(received_cents: int, wanted: Sequence[Share], room: dict[UUID, int]) -> tuple[list[Share], int]:
    """Return what each invoice takes, in the plan's order, and the excess that becomes credit. Pure.

    `room` is what an invoice can still take; an invoice that is not in it takes nothing.
    """
    left = received_cents
    shares: list[Share] = []
    for share in wanted:
        fits = max(0, min(left, share.amount_cents, room.get(share.invoice_id, 0)))
        if fits:
            shares.append(Share(share.invoice_id, fits))
            left -= fits
    return shares, left


def payment_legs(
    shares: Iterable[Share],
    excess_cents: int,
    account: str = Journal.Account.STRIPE_CLEARING,
    deposit: Sequence[Leg] = (),
) -> list[Leg]:
    """Return the legs of money that came in: `account` holds it, invoices shrink, the rest is owed as credit. Pure."""
    legs = [Leg(Journal.Account.RECEIVABLE, -share.amount_cents, share.invoice_id) for share in shares]
    legs += deposit
    if excess_cents:
        legs.append(Leg(Journal.Account.CREDIT, -excess_cents))
    return [Leg(account, -sum(leg.delta_cents for leg in legs)), *legs]


def fee_legs(fee_cents: int) -> list[Leg]:
    """Return the legs of what Stripe (and the platform) kept of a payment. Pure."""
    return [Leg(Journal.Account.STRIPE_CLEARING, -fee_cents), Leg(Journal.Account.FEE, fee_cents)]


def lock_root(account_id: str, root_id: str) -> None:
    """Let nobody else work on this object of Stripe until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{account_id}:{root_id}"])


def is_posted(source: Source) -> bool:
    """Whether this effect stands in the journal."""
    return Journal.objects.filter(kind=source.kind, source_type=source.type, source_id=source.id).exists()


def post(source: Source, legs: Sequence[Leg], *, payment: Payment, currency: str, now: datetime) -> None:
    """Write the legs of one source; raises Unbalanced, IntegrityError when they stand there already."""
    post_all([(source, legs)], payment=payment, currency=currency, now=now)


def post_all(
    effects: Sequence[tuple[Source, Sequence[Leg]]], *, payment: Payment, currency: str, now: datetime
) -> None:
    """Write the legs of several sources in one statement; raises Unbalanced, IntegrityError as for one."""
    for source, legs in effects:
        if sum(leg.delta_cents for leg in legs):
            raise Unbalanced(source)
    Journal.objects.bulk_create(
        Journal(
            kind=source.kind,
            source_type=source.type,
            source_id=source.id,
            account=leg.account,
            delta_cents=leg.delta_cents,
            currency=currency,
            invoice_id=leg.invoice_id,
            payment=payment,
            at=now,
        )
        for source, legs in effects
        for leg in legs
    )


def room_of(invoices: Iterable[Invoice]) -> dict[UUID, int]:
    """Return what each invoice can still take; one that is not open takes nothing and is not named. Pure."""
    return {invoice.pk: payable_cents(invoice) for invoice in invoices if invoice.status in PAYABLE}


def payable_cents(invoice: Invoice) -> int:
    """Return what is due and not held by a payment under way (payments.md 3b). Pure."""
    payable: int = invoice.balance_cents - invoice.pending_cents - invoice.reserved_cents
    return max(0, payable)


def hold(shares: Iterable[Share], *, reserved: int = 0, pending: int = 0) -> None:
    """Change what locked invoices are held for: by each share, as often as the signs say."""
    for share in shares:
        Invoice.objects.filter(pk=share.invoice_id).update(
            reserved_cents=F("reserved_cents") + reserved * share.amount_cents,
            pending_cents=F("pending_cents") + pending * share.amount_cents,
        )


def allocate(payment: Payment, shares: Iterable[Share], *, now: datetime) -> list[PaymentAllocation]:
    """Book parts of a payment on invoices: allocation, counter and status change together; return the rows."""
    rows = []
    for share in shares:
        row = PaymentAllocation.objects.create(
            payment=payment, invoice_id=share.invoice_id, amount_cents=share.amount_cents, created_at=now
        )
        rows.append(row)
        # Status and counter in one statement: the row's checks compare them.
        is_full = Q(balance_cents=share.amount_cents)
        changed = Invoice.objects.filter(pk=share.invoice_id, status__in=PAYABLE).update(
            paid_cents=F("paid_cents") + share.amount_cents,
            status=Case(When(is_full, then=Value(Invoice.Status.PAID)), default=Value(Invoice.Status.PARTIALLY_PAID)),
            paid_at=Case(When(is_full, then=Value(now)), default=F("paid_at")),
            updated_at=now,
        )
        if changed != 1:
            raise RuntimeError(f"Invoice {share.invoice_id} was locked and open, and then it was not.")
    return rows


def keep_as_credit(
    payment: Payment, excess_cents: int, *, now: datetime, origin: Credit.Origin = Credit.Origin.OVERPAYMENT
) -> None:
    """Keep what no invoice could take; a fact from Stripe must always be storable (datamodel.md 7.2)."""
    Credit.objects.create(
        customer_id=payment.bill_to_id,
        origin=origin,
        payment=payment,
        amount_cents=excess_cents,
        remaining_cents=excess_cents,
        currency=payment.currency,
        created_at=now,
    )


def take_receipt_number() -> str:
    """Return the next receipt number; the sequence stays locked until the transaction ends, so nothing is skipped."""
    first = NumberSequence(kind="receipt").next_number
    with connection.cursor() as cursor:
        cursor.execute(TAKE_NUMBER, ["receipt", first + 1])
        row = cursor.fetchone()
    return f"R-{row[0]}"


TAKE_NUMBER = """
INSERT INTO core_numbersequence AS known (kind, next_number) VALUES (%s, %s)
    ON CONFLICT (kind) DO UPDATE SET next_number = known.next_number + 1
RETURNING next_number - 1
"""
