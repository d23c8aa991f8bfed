"""Money that leaves a payment again, and money that comes back to it: invoices first, then credit, the rest a loss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, F, Q, QuerySet, Sum, Value, When

from portal.invoices.models import Invoice
from portal.payments import deposits, ledger
from portal.payments.ledger import Leg, Share, Source
from portal.payments.models import Credit, Journal, Payment, PaymentAllocation

Account = Journal.Account
SETTLED = (Invoice.Status.OPEN, Invoice.Status.PARTIALLY_PAID, Invoice.Status.PAID)


@dataclass(frozen=True, slots=True)
class Taken:
    """From where an amount that left a payment was taken; a loss is what nothing was left for (F26)."""

    shares: tuple[Share, ...]
    credit_cents: int
    loss_cents: int
    deposit_cents: int = 0


def split_taken(
    amount_cents: int, wanted: Sequence[Share], held: dict[UUID, int], credit_cents: int, deposit_cents: int = 0
) -> Taken:
    """Take an amount from the wanted invoices, then credit, deposit, and the rest; what is left is a loss. Pure.

    `held` is what the payment pays of each invoice, in the order in which it was allocated.
    """
    taken: dict[UUID, int] = {}
    left = amount_cents
    for share in wanted:
        part = min(left, share.amount_cents, held.get(share.invoice_id, 0) - taken.get(share.invoice_id, 0))
        if part > 0:
            taken[share.invoice_id] = taken.get(share.invoice_id, 0) + part
            left -= part
    from_credit = min(left, credit_cents)
    left -= from_credit
    from_deposit = min(left, deposit_cents)
    left -= from_deposit
    for invoice_id in reversed(held):
        part = min(left, held[invoice_id] - taken.get(invoice_id, 0))
        if part > 0:
            taken[invoice_id] = taken.get(invoice_id, 0) + part
            left -= part
    return Taken(tuple(Share(*pair) for pair in taken.items()), from_credit, left, from_deposit)


def taken_legs(taken: Taken, account: str) -> list[Leg]:
    """Return the legs of money that left: invoices are due again, credit is used, the rest is lost. Pure."""
    legs = [Leg(Account.RECEIVABLE, share.amount_cents, share.invoice_id) for share in taken.shares]
    if taken.credit_cents:
        legs.append(Leg(Account.CREDIT, taken.credit_cents))
    if taken.loss_cents:
        legs.append(Leg(Account.LOSS, taken.loss_cents))
    legs += deposits.legs_out(taken.deposit_cents)
    return [*legs, Leg(account, -sum(leg.delta_cents for leg in legs))]


def account_of_money(payment: Payment) -> str:
    """Return where the money of a payment lies: with Stripe, or in the company's own hands. Pure."""
    return Account.STRIPE_CLEARING if payment.stripe_pi_id else Account.CASH


def held_by(payment: Payment) -> dict[UUID, int]:
    """Return what the payment pays of each invoice now, in the order of allocation."""
    held: dict[UUID, int] = {}
    for row in PaymentAllocation.objects.filter(payment=payment, invoice__isnull=False).order_by("id"):
        assert row.invoice_id
        held[row.invoice_id] = held.get(row.invoice_id, 0) + (row.amount_cents if not row.reverses_id else 0)
        held[row.invoice_id] -= row.amount_cents if row.reverses_id else 0
    return {invoice_id: amount for invoice_id, amount in held.items() if amount}


def credit_of(payment: Payment) -> int:
    """Return what of the payment is still credit."""
    found = Credit.objects.filter(payment=payment).aggregate(left=Sum("remaining_cents"))["left"]
    return int(found or 0)


def take_from(payment: Payment, taken: Taken, *, now: datetime) -> None:
    """Undo the allocations and use up the credit; the caller posts the legs and counts refund or dispute."""
    for share in taken.shares:
        _deallocate(payment, share, now=now)
        _change(share, "paid_cents", -1, now=now)
    deposits.take_out(payment, taken.deposit_cents, now=now)
    _count_allocated(payment, -sum(share.amount_cents for share in taken.shares) - taken.deposit_cents)
    left = taken.credit_cents
    for credit in Credit.objects.filter(payment=payment, remaining_cents__gt=0).order_by("id"):
        part = min(left, credit.remaining_cents)
        Credit.objects.filter(pk=credit.pk).update(remaining_cents=F("remaining_cents") - part)
        left -= part


def give_to(
    payment: Payment, amount_cents: int, taken: Taken, room: dict[UUID, int], source: Source, *, now: datetime
) -> None:
    """Post money that has come back: losses first, then the invoices it had left, as far as they have room.

    What fits nowhere any more, because somebody has paid meanwhile, is the customer's credit.
    """
    loss = min(amount_cents, taken.loss_cents)
    shares, credit = ledger.split_received(amount_cents - loss, taken.shares, room)
    deposit = min(credit, taken.deposit_cents)
    deposit = deposits.give_back(payment, deposit, now=now) if deposit else 0
    credit -= deposit
    legs = [Leg(Account.RECEIVABLE, -share.amount_cents, share.invoice_id) for share in shares]
    legs += deposits.legs_in(deposit)
    if credit:
        legs.append(Leg(Account.CREDIT, -credit))
    if loss:
        legs.append(Leg(Account.LOSS, -loss))
    legs.append(Leg(account_of_money(payment), amount_cents))
    ledger.post(source, legs, payment=payment, currency=payment.currency, now=now)
    ledger.allocate(payment, shares, now=now)
    _count_allocated(payment, sum(share.amount_cents for share in shares) + deposit)
    _refill_credit(payment, credit, now=now)


def taken_by(source: Source) -> Taken:
    """Read from the journal from where a source took its money."""
    return still_taken(Journal.objects.filter(kind=source.kind, source_type=source.type, source_id=source.id))


def still_taken(legs: QuerySet[Journal]) -> Taken:
    """Return from where legs took money, less what others of them gave back."""
    sums: dict[tuple[str, UUID | None], int] = defaultdict(int)
    for leg in legs.order_by("id"):
        sums[leg.account, leg.invoice_id] += leg.delta_cents
    left = {name: cents for name, cents in sums.items() if cents > 0}
    return Taken(
        tuple(Share(pk, cents) for (account, pk), cents in left.items() if account == Account.RECEIVABLE and pk),
        left.get((Account.CREDIT, None), 0),
        left.get((Account.LOSS, None), 0),
        left.get((Account.DEPOSIT, None), 0),
    )


def forgive(
    payment: Payment, shares: Iterable[Share], paid_at: dict[UUID, datetime | None], source: Source, *, now: datetime
) -> None:
    """Write a credit note over what was refunded, so that the invoices stay settled and nobody is reminded.

    `paid_at` is when each invoice was settled before: the note does not settle it anew.
    """
    legs = []
    for share in shares:
        legs.append(Leg(Account.RECEIVABLE, -share.amount_cents, share.invoice_id))
        _change(share, "credited_cents", +1, now=now)
        Invoice.objects.filter(pk=share.invoice_id).update(paid_at=paid_at.get(share.invoice_id))
    legs.append(Leg(Account.REFUND, -sum(leg.delta_cents for leg in legs)))
    ledger.post(source, legs, payment=payment, currency=payment.currency, now=now)


def unforgive(payment: Payment, noted: Source, source: Source, *, now: datetime) -> None:
    """Take a credit note back."""
    legs = []
    for leg in Journal.objects.filter(kind=noted.kind, source_type=noted.type, source_id=noted.id).order_by("id"):
        legs.append(Leg(leg.account, -leg.delta_cents, leg.invoice_id))
        if leg.invoice_id:
            _change(Share(leg.invoice_id, -leg.delta_cents), "credited_cents", -1, now=now)
    if legs:
        ledger.post(source, legs, payment=payment, currency=payment.currency, now=now)


def _deallocate(payment: Payment, share: Share, *, now: datetime) -> None:
    """Reverse allocation rows for one share; what one row pays beyond it is allocated again."""
    left = share.amount_cents
    live = PaymentAllocation.objects.filter(
        payment=payment, invoice_id=share.invoice_id, reverses=None, reversed_by=None
    ).order_by("-id")
    for row in list(live):
        if left <= 0:
            break
        PaymentAllocation.objects.create(
            payment=payment, invoice_id=share.invoice_id, amount_cents=row.amount_cents, reverses=row, created_at=now
        )
        kept = row.amount_cents - left
        if kept > 0:
            PaymentAllocation.objects.create(
                payment=payment, invoice_id=share.invoice_id, amount_cents=kept, created_at=now
            )
        left -= row.amount_cents


def _change(share: Share, column: str, sign: int, *, now: datetime) -> None:
    """Change a counter and the status it implies in one statement; closed invoices keep their status."""
    delta = sign * share.amount_cents
    is_full = Q(balance_cents=delta)
    is_untouched = Q(total_cents=F("balance_cents") - delta)
    Invoice.objects.filter(pk=share.invoice_id).update(
        **{column: F(column) + delta},
        status=Case(
            When(~Q(status__in=SETTLED), then=F("status")),
            When(is_full, then=Value(Invoice.Status.PAID)),
            When(is_untouched, then=Value(Invoice.Status.OPEN)),
            default=Value(Invoice.Status.PARTIALLY_PAID),
        ),
        paid_at=Case(When(is_full & Q(paid_at=None), then=Value(now)), When(is_full, then=F("paid_at")), default=None),
        updated_at=now,
    )


def _count_allocated(payment: Payment, delta_cents: int) -> None:
    if delta_cents:
        Payment.objects.filter(pk=payment.pk).update(allocated_cents=F("allocated_cents") + delta_cents)


def _refill_credit(payment: Payment, amount_cents: int, *, now: datetime) -> None:
    left = amount_cents
    for credit in Credit.objects.filter(payment=payment, remaining_cents__lt=F("amount_cents")).order_by("id"):
        part = min(left, credit.amount_cents - credit.remaining_cents)
        Credit.objects.filter(pk=credit.pk).update(remaining_cents=F("remaining_cents") + part)
        left -= part
    if left:
        ledger.keep_as_credit(payment, left, now=now)
