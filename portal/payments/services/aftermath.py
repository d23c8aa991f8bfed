"""What refunds and disputes share: the locks, the fee, the status of the payment, and money lost."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db.models import Sum

from portal.payments import deposits, ledger
from portal.payments.ledger import Source
from portal.payments.models import Payment, Refund
from portal.payments.refund_facts import Movement
from portal.payments.services.on_file import lock_customer
from portal.payments.services.posting import lock_invoices
from tenants.audit import SYSTEM, record
from tenants.outbox import emit

log = logging.getLogger("porchlight.payments")
Status = Payment.Status


def find_received(intent_id: str) -> UUID | None:
    """Return the payment of an intent whose money has come in as far as we were told; a debit on its way has not.

    What Stripe tells of its end can arrive before the news that it came in at all (F10).
    """
    known = Payment.objects.filter(stripe_pi_id=intent_id or None).exclude(status=Payment.Status.PROCESSING)
    return known.values_list("pk", flat=True).first()


def lock_payment(payment_id: UUID) -> Payment:
    """Lock customer, invoices by id, estimates, then the payment (datamodel.md 7.4)."""
    payment = Payment.objects.get(pk=payment_id)
    lock_customer(payment.bill_to_id)
    lock_invoices(list(payment.allocations.filter(invoice__isnull=False).values_list("invoice_id", flat=True)))
    deposits.lock_estimates(payment.allocations.filter(invoice=None).values_list("estimate_id", flat=True))
    return Payment.objects.select_for_update().get(pk=payment_id)


def post_fee(payment: Payment, movement: Movement, *, now: datetime) -> None:
    """Post the fee of one movement of Stripe's balance once."""
    source = Source("fee", "balance_transaction", movement.id)
    if movement.fee_cents and not ledger.is_posted(source):
        legs = ledger.fee_legs(movement.fee_cents)
        ledger.post(source, legs, payment=payment, currency=payment.currency, now=now)


def set_status(payment: Payment) -> None:
    """Derive the payment's status from its disputes and from what has been refunded."""
    Payment.objects.filter(pk=payment.pk).update(status=_status_of(payment))


def _status_of(payment: Payment) -> str:
    disputes = [dispute for dispute in payment.disputes.all() if dispute.status not in dispute.INQUIRIES]
    if any(dispute.is_open for dispute in disputes):
        return Status.DISPUTED
    if any(dispute.status == "lost" for dispute in disputes):
        return Status.LOST
    made = Refund.objects.filter(payment=payment).exclude(state__in=[Refund.State.REQUESTED, *Refund.ENDED])
    refunded = int(made.aggregate(total=Sum("amount_cents"))["total"] or 0)
    if refunded:
        if made.filter(origin=Refund.Origin.CORRECTION).exists():
            return Status.REVERSED
        whole = refunded >= payment.received_cents
        return Status.REFUNDED if whole else Status.PARTIALLY_REFUNDED
    return Status.WON if disputes else Status.SUCCEEDED


def report_loss(payment: Payment, amount_cents: int, *, key: str, now: datetime) -> None:
    """Tell the office of money that left and belonged to nothing any more (F26)."""
    record("payment.loss", by=SYSTEM, now=now, target=payment, after={"amount_cents": amount_cents})
    log.error("money was lost", extra={"payment": str(payment.pk), "cents": amount_cents})
    payload = {"payment": str(payment.pk), "amount_cents": amount_cents}
    emit("payment.loss", key=key, payload=payload, now=now)
