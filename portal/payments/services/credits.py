"""Credit: money of the customer that no invoice has taken yet is applied to one; refunds are in refunds.py."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from portal.invoices.models import Invoice
from portal.payments import errors, ledger
from portal.payments.ledger import Leg, Share, Source
from portal.payments.models import Credit, Journal, Payment
from portal.payments.services.on_file import lock_customer
from portal.payments.services.posting import lock_invoices
from tenants.audit import Actor, record

Account = Journal.Account


def apply_credit(*, credit_id: UUID, invoice_id: UUID, seen_cents: int, by: Actor, now: datetime) -> int:
    """Pay an invoice out of a credit, as far as both go; return the cents; raises PaymentRefused.

    `seen_cents` is what was left of the credit on the page: a second click finds less and is refused.
    """
    with transaction.atomic():
        credit = _lock(credit_id)
        if credit.remaining_cents != seen_cents:
            raise errors.AmountChanged(credit.remaining_cents)
        invoices = lock_invoices([invoice_id])
        if not invoices or invoices[0].bill_to_id != credit.customer_id or invoices[0].currency != credit.currency:
            raise errors.NotPayable
        room = ledger.room_of(invoices).get(invoice_id, 0)
        amount = min(room, credit.remaining_cents)
        if amount <= 0:
            raise errors.NotPayable
        _move(credit, Share(invoice_id, amount), now)
        record(
            "credit.applied",
            by=by,
            now=now,
            target=credit,
            before={"remaining_cents": seen_cents},
            after={"invoice": invoices[0].number, "amount_cents": amount},
        )
    return amount


def _lock(credit_id: UUID) -> Credit:
    """Lock the customer, then the credit; raises NotPayable for one that is not there."""
    found = Credit.objects.filter(pk=credit_id).first()
    if found is None or found.payment_id is None:
        raise errors.NotPayable
    lock_customer(found.customer_id)
    Payment.objects.select_for_update().only("id").get(pk=found.payment_id)
    return Credit.objects.select_for_update(of=("self",)).select_related("payment").get(pk=credit_id)


def _move(credit: Credit, share: Share, now: datetime) -> None:
    """Allocate the part of its payment that a credit is, so that a later refund or dispute finds it there."""
    payment = credit.payment
    assert payment
    (allocation,) = ledger.allocate(payment, [share], now=now)
    legs = [Leg(Account.CREDIT, share.amount_cents), Leg(Account.RECEIVABLE, -share.amount_cents, share.invoice_id)]
    source = Source("credit_applied", "allocation", str(allocation.pk))
    ledger.post(source, legs, payment=payment, currency=credit.currency, now=now)
    Credit.objects.filter(pk=credit.pk).update(remaining_cents=F("remaining_cents") - share.amount_cents)
    Payment.objects.filter(pk=payment.pk).update(allocated_cents=F("allocated_cents") + share.amount_cents)


def open_invoices(credit: Credit) -> list[Invoice]:
    """Return the invoices of the customer that a credit can pay, oldest first."""
    claimed = Invoice.objects.filter(
        bill_to_id=credit.customer_id, currency=credit.currency, status__in=ledger.PAYABLE
    ).select_related("bill_to", "location")
    return [invoice for invoice in claimed.order_by("due_on", "number") if ledger.payable_cents(invoice) > 0]
