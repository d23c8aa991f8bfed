"""What happens to a deposit when its estimate becomes an invoice, or is canceled (payments.md 3b)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from portal.estimates.errors import NotCancelable, NotConvertible, NumberTaken
from portal.estimates.models import Estimate
from portal.estimates.offer import Sums, read_offer
from portal.estimates.pages import taken_lines
from portal.estimates.services.drafting import current_version
from portal.invoices.models import Invoice
from portal.payments import deposits, ledger
from portal.payments.ledger import Share, Source
from portal.payments.models import Credit, Journal, Payment, PaymentAllocation
from portal.payments.services.on_file import lock_customer
from tenants.audit import Actor, record

Status = Estimate.Status
DUE_IN = timedelta(days=14)


@transaction.atomic
def convert_estimate(*, estimate_id: UUID, number: str, today: date, by: Actor, now: datetime) -> Invoice:
    """Make the invoice of an approved estimate and move its deposit there; raises NotConvertible, NumberTaken.

    Invoice, state and deposit change in one transaction; the state is compared and set, so that a second conversion
    does nothing. What of the deposit the invoice has no room for is the customer's credit.
    """
    estimate = _lock(estimate_id)
    if estimate.status != Status.APPROVED:
        raise NotConvertible(estimate.status)
    try:
        with transaction.atomic():
            invoice = _make_invoice(estimate, number, today, today + DUE_IN, now)
    except IntegrityError as error:
        if Invoice.objects.filter(number=number).exists():
            raise NumberTaken(number) from error
        raise
    changed = Estimate.objects.filter(pk=estimate.pk, status=Status.APPROVED, invoice=None).update(
        status=Status.CONVERTED, invoice=invoice, updated_at=now
    )
    if changed != 1:
        raise NotConvertible(estimate.pk)
    moved = sum(_apply(row, invoice, now) for row in _held_rows(estimate))
    record(
        "estimate.converted",
        by=by,
        now=now,
        target=estimate,
        after={"invoice": invoice.number, "deposit_cents": moved},
    )
    invoice.refresh_from_db()
    return invoice


@transaction.atomic
def cancel_estimate(*, estimate_id: UUID, by: Actor, now: datetime) -> int:
    """Cancel an estimate; nobody outside the office sees it any more (VIS-04). Raises NotCancelable.

    A deposit that was paid becomes the customer's credit, which the office applies or gives back; return its cents.
    """
    estimate = _lock(estimate_id)
    before = estimate.status
    changed = (
        Estimate.objects.filter(pk=estimate.pk, status=before)
        .exclude(status__in=[Status.CANCELED, Status.CONVERTED])
        .update(status=Status.CANCELED, canceled_at=now, updated_at=now)
    )
    if changed != 1:
        raise NotCancelable(before)
    released = sum(_release(row, now) for row in _held_rows(estimate))
    record(
        "estimate.canceled",
        by=by,
        now=now,
        target=estimate,
        before={"status": before},
        after={"credit_cents": released},
    )
    return released


def _lock(estimate_id: UUID) -> Estimate:
    """Lock customer and estimate, and the payments that are its deposit (datamodel.md 7.4)."""
    found = Estimate.objects.get(pk=estimate_id)
    lock_customer(found.customer_id)
    estimate = deposits.lock_estimates([estimate_id])[estimate_id]
    paying = PaymentAllocation.objects.filter(estimate_id=estimate_id).values_list("payment_id", flat=True)
    list(Payment.objects.select_for_update().only("id").filter(pk__in=list(paying)).order_by("pk"))
    return estimate


def _held_rows(estimate: Estimate) -> list[PaymentAllocation]:
    rows = PaymentAllocation.objects.filter(estimate_id=estimate.pk, reverses=None, reversed_by=None)
    return list(rows.select_related("payment").order_by("id"))


def _apply(row: PaymentAllocation, invoice: Invoice, now: datetime) -> int:
    """Move one allocation to the invoice; return what the invoice took."""
    room = ledger.room_of(Invoice.objects.filter(pk=invoice.pk)).get(invoice.pk, 0)
    part = min(room, row.amount_cents)
    _move(row, "deposit_applied", [Share(invoice.pk, part)] if part else [], now)
    return part


def _release(row: PaymentAllocation, now: datetime) -> int:
    """Turn one allocation into credit; return the cents."""
    _move(row, "deposit_released", [], now)
    return row.amount_cents


def _move(row: PaymentAllocation, kind: str, shares: list[Share], now: datetime) -> None:
    """Have a deposit pay the shares as money does that comes in; what they leave of it is credit."""
    payment, rest = row.payment, row.amount_cents - sum(share.amount_cents for share in shares)
    undone = deposits.reverse(row, row.amount_cents, now=now)
    ledger.allocate(payment, shares, now=now)
    if rest:
        ledger.keep_as_credit(payment, rest, now=now, origin=Credit.Origin.DEPOSIT)
        Payment.objects.filter(pk=payment.pk).update(allocated_cents=F("allocated_cents") - rest)
    legs = ledger.payment_legs(shares, rest, Journal.Account.DEPOSIT)
    ledger.post(Source(kind, "allocation", str(undone.pk)), legs, payment=payment, currency=payment.currency, now=now)


def _make_invoice(estimate: Estimate, number: str, today: date, due_on: date, now: datetime) -> Invoice:
    offer = read_offer(current_version(estimate).body)
    option = offer.option(estimate.option_key)
    assert option
    sums: Sums = offer.sums(option, estimate.line_keys)
    if not sums.total_cents:
        raise NotConvertible("nothing to bill")
    lines: list[dict[str, Any]] = [
        {
            "description": line.text,
            "quantity": line.quantity,
            "unit_price_cents": line.unit_cents,
            "amount_cents": line.amount_cents,
            "tax_cents": 0,
            "kind": "service",
        }
        for line in taken_lines(option, estimate.line_keys)
    ]
    return Invoice.objects.create(
        number=number,
        bill_to_id=estimate.customer_id,
        location_id=estimate.location_id,
        business_unit_id=estimate.business_unit_id,
        job_type_name=estimate.title,
        status=Invoice.Status.OPEN,
        issued_on=today,
        due_on=due_on,
        currency=estimate.currency,
        lines=lines,
        subtotal_cents=sums.subtotal_cents,
        tax_cents=sums.tax_cents,
        total_cents=sums.total_cents,
        created_at=now,
        updated_at=now,
    )
