"""Deposits on estimates in the ledger: what is due, held, on its way, paid, and taken out again (payments.md 3b).

A deposit is a debt of the company until it becomes part of an invoice: its own account in the journal, allocations
whose target is the estimate, and counters of the estimate that both back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import F

from portal.estimates.models import Estimate
from portal.estimates.policy import payable_deposit
from portal.payments.ledger import Leg
from portal.payments.models import Journal, Payment, PaymentAllocation, PaymentAttempt

Account = Journal.Account


def estimate_of(attempt: PaymentAttempt) -> UUID | None:
    """Return the estimate whose deposit an attempt pays; None for one that pays invoices. Pure."""
    return next((UUID(line["estimate"]) for line in attempt.plan if "estimate" in line), None)


def targets_of(attempt: PaymentAttempt) -> set[UUID]:
    """Return everything that an attempt pays, invoices and estimates alike. Pure."""
    return {UUID(line.get("invoice") or line["estimate"]) for line in attempt.plan}


def lock_estimates(ids: Iterable[UUID | None]) -> dict[UUID, Estimate]:
    """Lock estimates in one order, after the customer and the invoices (datamodel.md 7.4)."""
    wanted = [pk for pk in ids if pk]
    if not wanted:
        return {}
    return {each.pk: each for each in Estimate.objects.select_for_update().filter(pk__in=wanted).order_by("pk")}


def hold(attempt: PaymentAttempt, *, reserved: int = 0, pending: int = 0) -> None:
    """Change what a deposit's attempt holds: by its amount, as often as the signs say; others hold nothing."""
    estimate_id = estimate_of(attempt)
    if estimate_id:
        Estimate.objects.filter(pk=estimate_id).update(
            deposit_reserved_cents=F("deposit_reserved_cents") + reserved * attempt.amount_cents,
            deposit_pending_cents=F("deposit_pending_cents") + pending * attempt.amount_cents,
        )


def room_for(estimate_id: UUID | None) -> int:
    """Return what a locked estimate can still take of a deposit."""
    found = Estimate.objects.filter(pk=estimate_id).first() if estimate_id else None
    return payable_deposit(found) if found else 0


def allocate(payment: Payment, estimate_id: UUID, cents: int, *, now: datetime) -> PaymentAllocation:
    """Book a part of a payment as the deposit of a locked estimate; return the row."""
    changed = Estimate.objects.filter(pk=estimate_id, status=Estimate.Status.APPROVED).update(
        deposit_paid_cents=F("deposit_paid_cents") + cents, updated_at=now
    )
    if changed != 1:
        raise RuntimeError(f"Estimate {estimate_id} was locked and approved, and then it was not.")
    return PaymentAllocation.objects.create(
        payment=payment, estimate_id=estimate_id, amount_cents=cents, created_at=now
    )


def legs_in(cents: int) -> list[Leg]:
    """Return the leg of a deposit that is held. Pure."""
    return [Leg(Account.DEPOSIT, -cents)] if cents else []


def legs_out(cents: int) -> list[Leg]:
    """Return the leg of a deposit that is held no more. Pure."""
    return [Leg(Account.DEPOSIT, cents)] if cents else []


def live_rows(payment: Payment) -> list[PaymentAllocation]:
    """Return the allocations of a payment that are deposits now."""
    rows = PaymentAllocation.objects.filter(payment=payment, estimate_id__isnull=False, reverses=None, reversed_by=None)
    return list(rows.order_by("id"))


def deposit_of(payment: Payment) -> int:
    """Return what of the payment is held as a deposit now."""
    return sum(row.amount_cents for row in live_rows(payment))


def reverse(row: PaymentAllocation, cents: int, *, now: datetime) -> PaymentAllocation:
    """Take so much out of one allocation: a reversal, and what is kept anew; return the reversal."""
    undone = PaymentAllocation.objects.create(
        payment_id=row.payment_id,
        estimate_id=row.estimate_id,
        amount_cents=row.amount_cents,
        reverses=row,
        created_at=now,
    )
    if row.amount_cents > cents:
        PaymentAllocation.objects.create(
            payment_id=row.payment_id,
            estimate_id=row.estimate_id,
            amount_cents=row.amount_cents - cents,
            created_at=now,
        )
    assert row.estimate_id
    Estimate.objects.filter(pk=row.estimate_id).update(
        deposit_paid_cents=F("deposit_paid_cents") - cents, updated_at=now
    )
    return undone


def take_out(payment: Payment, cents: int, *, now: datetime) -> None:
    """Undo so much of a payment's deposits; the caller posts the legs."""
    left = cents
    for row in live_rows(payment):
        part = min(left, row.amount_cents)
        if part:
            reverse(row, part, now=now)
            left -= part


def give_back(payment: Payment, cents: int, *, now: datetime) -> int:
    """Hold again what came back to a payment, as far as its estimate has room; return how much that was."""
    estimate_id = _estimate_id(payment)
    estimate = lock_estimates([estimate_id]).get(estimate_id) if estimate_id else None
    fits = min(cents, payable_deposit(estimate)) if estimate else 0
    if estimate and fits:
        allocate(payment, estimate.pk, fits, now=now)
    return fits


def give_up(payment: Payment, cents: int, *, now: datetime) -> None:
    """Lower what is agreed as deposit by what the office gave back: it is not asked for again."""
    _change_agreed(payment, -cents, now=now)


def agree_again(payment: Payment, cents: int, *, now: datetime) -> None:
    """Raise what is agreed as deposit by what a refund had lowered it, for the refund has failed."""
    _change_agreed(payment, cents, now=now)


def _change_agreed(payment: Payment, cents: int, *, now: datetime) -> None:
    estimate_id = _estimate_id(payment)
    if cents and estimate_id:
        rows = Estimate.objects.filter(pk=estimate_id)
        rows.update(deposit_cents=F("deposit_cents") + cents, updated_at=now)


def _estimate_id(payment: Payment) -> UUID | None:
    """Return the estimate whose deposit the payment is or was: a payment is that of one estimate at most."""
    rows = PaymentAllocation.objects.filter(payment=payment, estimate_id__isnull=False)
    return rows.values_list("estimate_id", flat=True).first()
