"""Payments that the office writes down by hand: cash, checks and others; corrected by a reversal, never removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from portal.customers.models import Customer
from portal.payments import errors, ledger
from portal.payments.amounts import MAXIMUM_CENTS
from portal.payments.ledger import Source
from portal.payments.models import Journal, Payment, Refund
from portal.payments.plans import plan_of
from portal.payments.services.aftermath import lock_payment, set_status
from portal.payments.services.posting import lock_invoices
from portal.payments.services.refund_posting import take_out
from portal.payments.services.refunds import refundable_lines
from tenants.audit import Actor, record
from tenants.outbox import emit
from tenants.schema.models import IdempotencyKey

SCOPE = "payment.recorded"
NOON = time(12)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the office has received and how; `keep_rest` allows more than the invoices can take, as credit."""

    form_key: UUID
    amount_cents: int
    how: str
    received_on: date
    reference: str = ""
    note: str = ""
    keep_rest: bool = False
    mail_receipt: bool = True


@transaction.atomic
def record_payment(
    *,
    customer_id: UUID,
    invoice_ids: Sequence[UUID],
    recorded: Recorded,
    currency: str,
    zone: ZoneInfo,
    by: Actor,
    now: datetime,
) -> Payment:
    """Write down money received by hand, over the invoices oldest first; raises PaymentRefused.

    The same form key is one payment. What invoices cannot take is refused, or becomes credit when the office says so.
    """
    customer = Customer.objects.select_for_update().get(pk=customer_id)
    known = _known(recorded.form_key)
    if known:
        if known.bill_to_id != customer_id or known.amount_cents != recorded.amount_cents:
            raise errors.FormReused
        return known
    if not 0 < recorded.amount_cents <= MAXIMUM_CENTS:
        raise errors.AmountOutOfRange
    invoices = [i for i in lock_invoices(invoice_ids) if i.bill_to_id == customer_id and i.currency == currency]
    if len(invoices) != len(set(invoice_ids)):
        raise errors.NotPayable
    wanted = plan_of(invoices, recorded.amount_cents)
    shares, excess = ledger.split_received(recorded.amount_cents, wanted, ledger.room_of(invoices))
    if excess and not recorded.keep_rest:
        raise errors.AmountChanged(recorded.amount_cents - excess)
    payment = _store(customer, recorded, currency, zone, now)
    IdempotencyKey.objects.create(
        scope=SCOPE, key=str(recorded.form_key), response={"payment": str(payment.pk)}, created_at=now
    )
    legs = ledger.payment_legs(shares, excess, Journal.Account.CASH)
    source = Source("payment", "office_payment", str(payment.pk))
    # The books name the day of the money, not that of the typing.
    ledger.post(source, legs, payment=payment, currency=currency, now=payment.initiated_at)
    ledger.allocate(payment, shares, now=now)
    if excess:
        ledger.keep_as_credit(payment, excess, now=now)
    Payment.objects.filter(pk=payment.pk).update(allocated_cents=sum(share.amount_cents for share in shares))
    record(
        "payment.recorded",
        by=by,
        now=now,
        target=payment,
        after={
            "amount_cents": payment.amount_cents,
            "how": recorded.how,
            "invoices": [invoice.number for invoice in invoices],
            "credit_cents": excess,
        },
    )
    if recorded.mail_receipt:
        emit("payment.succeeded", key=f"receipt:{payment.pk}", payload={"payment": str(payment.pk)}, now=now)
    payment.refresh_from_db()
    return payment


def _known(form_key: UUID) -> Payment | None:
    """Return the payment that this form has recorded already."""
    mark = IdempotencyKey.objects.filter(scope=SCOPE, key=str(form_key)).first()
    return Payment.objects.get(pk=UUID((mark.response or {})["payment"])) if mark else None


def _store(customer: Customer, recorded: Recorded, currency: str, zone: ZoneInfo, now: datetime) -> Payment:
    # What counts is the day on which the money was there; a past day has no hour.
    at = min(now, datetime.combine(recorded.received_on, NOON, zone))
    method = {"kind": recorded.how, "reference": recorded.reference[:60]}
    return Payment.objects.create(
        bill_to=customer,
        origin=Payment.Origin.OFFICE,
        status=Payment.Status.SUCCEEDED,
        amount_cents=recorded.amount_cents,
        received_cents=recorded.amount_cents,
        currency=currency,
        method={name: value for name, value in method.items() if value},
        receipt_no=ledger.take_receipt_number(),
        note=recorded.note[:300],
        initiated_at=at,
        succeeded_at=at,
        created_at=now,
    )


@transaction.atomic
def reverse_payment(*, payment_id: UUID, note: str, by: Actor, now: datetime) -> Payment:
    """Take a payment that was recorded by mistake out of the books, by a row of its own; raises RefundRefused."""
    payment = lock_payment(payment_id)
    left = payment.received_cents - payment.refunded_cents
    if payment.stripe_pi_id or payment.origin != Payment.Origin.OFFICE or left <= 0:
        raise errors.NothingToRefund
    lines = [
        {"invoice": str(line.invoice_id) if line.invoice_id else None, "amount_cents": line.amount_cents}
        for line in refundable_lines(payment)
    ]
    reversal = Refund.objects.create(
        payment=payment,
        amount_cents=left,
        currency=payment.currency,
        state=Refund.State.SUCCEEDED,
        origin=Refund.Origin.CORRECTION,
        reason=Refund.Reason.MISTAKE,
        note=note[:300],
        lines=[{**line, "effect": "reopen"} for line in lines],
        created_by=by.id,
        created_at=now,
        closed_at=now,
    )
    Payment.objects.filter(pk=payment.pk).update(refunded_cents=F("refunded_cents") + left)
    take_out(reversal, payment, str(reversal.pk), now)
    set_status(payment)
    record("payment.reversed", by=by, now=now, target=payment, after={"amount_cents": left, "note": note[:300]})
    payment.refresh_from_db()
    return payment
