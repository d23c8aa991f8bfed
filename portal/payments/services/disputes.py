"""Makes our rows equal to what Stripe says of one dispute: any number of times (F17, F20, F26, PAY-09)."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from portal.payments import deposits, dispute_facts, ledger, movements
from portal.payments.dispute_facts import DisputeFacts
from portal.payments.errors import IntentDisagrees, UnknownIntent
from portal.payments.ledger import Source
from portal.payments.models import Dispute, Payment
from portal.payments.refund_facts import Movement
from portal.payments.services.aftermath import find_received, lock_payment, post_fee, report_loss, set_status
from portal.payments.services.on_file import invalidate_method
from portal.payments.services.posting import lock_invoices
from portal.payments.services.settle import account_of, settle_intent
from tenants.audit import SYSTEM, record
from tenants.context import TenantContext
from tenants.outbox import emit

log = logging.getLogger("porchlight.payments")
LOOKS = 5


class MovedMeanwhile(Exception):
    """Somebody else applied newer facts while ours were being fetched (payments.md 3c.5)."""


def look_at_dispute(*, context: TenantContext, account_id: str, dispute_id: str, now: datetime) -> Dispute:
    """Look at a dispute that an event named and apply it; raises AnswerUnknown, UnknownIntent, IntentDisagrees.

    Must run outside any transaction. A status can go back and forth, so facts fetched earlier must not be applied
    later: the row as it was before looking is the mark.
    """
    for _ in range(LOOKS):
        mark = _mark_of(dispute_id)
        facts = dispute_facts.retrieve_dispute(account_id, dispute_id)
        if find_received(facts.intent_id) is None:
            # Nobody has told us of the payment yet: look at it first.
            settle_intent(context=context, account_id=account_id, intent_id=facts.intent_id, now=now)
        try:
            return apply_dispute(account_id=account_id, facts=facts, mark=mark, now=now)
        except MovedMeanwhile:
            log.info("a dispute moved while it was looked at", extra={"dispute": dispute_id})
    raise MovedMeanwhile(dispute_id)


def look_at_disputes(*, context: TenantContext, intent_id: str, now: datetime) -> int:
    """Look at every dispute of a payment; raises AnswerUnknown. Returns how many there are."""
    account_id = account_of(context)
    found = dispute_facts.list_disputes(account_id, intent_id=intent_id)
    for dispute_id in found:
        look_at_dispute(context=context, account_id=account_id, dispute_id=dispute_id, now=now)
    return len(found)


def _mark_of(dispute_id: str) -> tuple[str, int] | None:
    known = Dispute.objects.filter(stripe_dispute_id=dispute_id).values_list("status", "withdrawn_cents").first()
    return (known[0], known[1]) if known else None


def apply_dispute(*, account_id: str, facts: DisputeFacts, mark: tuple[str, int] | None, now: datetime) -> Dispute:
    """Apply the facts to dispute, payment, journal and invoices; raises MovedMeanwhile, UnknownIntent."""
    with transaction.atomic():
        ledger.lock_root(account_id, facts.intent_id)
        payment = lock_payment(_payment_of(facts))
        if _mark_of(facts.id) != mark:
            raise MovedMeanwhile(facts.id)
        dispute = Dispute.objects.filter(stripe_dispute_id=facts.id).first()
        before = dispute.status if dispute else ""
        dispute = dispute or _open(facts, payment, now)
        if dispute.payment_id != payment.pk or facts.currency != dispute.currency:
            raise IntentDisagrees(f"{facts.id} does not belong to payment {payment.pk}")
        for movement in facts.movements:
            _move_money(dispute, payment, movement, now)
        _update(dispute, facts, now)
        set_status(payment)
        _tell(dispute, before, now)
    return dispute


def _payment_of(facts: DisputeFacts) -> UUID:
    found = find_received(facts.intent_id)
    if found is None:
        raise UnknownIntent(facts.intent_id or facts.id)
    return found


def _open(facts: DisputeFacts, payment: Payment, now: datetime) -> Dispute:
    return Dispute.objects.create(
        payment=payment,
        stripe_dispute_id=facts.id,
        amount_cents=facts.amount_cents,
        currency=facts.currency,
        status=facts.status,
        reason=facts.reason[:60],
        opened_at=facts.opened_at,
        created_at=now,
    )


def _move_money(dispute: Dispute, payment: Payment, movement: Movement, now: datetime) -> None:
    """Post one movement once: what was withdrawn makes invoices due again, what comes back settles them."""
    source = source_of(movement)
    post_fee(payment, movement, now=now)
    if not movement.amount_cents or ledger.is_posted(source):
        return
    if movement.amount_cents < 0:
        _withdraw(payment, -movement.amount_cents, source, now)
    else:
        # What all disputes of the payment took, less what came back already.
        taken = movements.still_taken(payment.journal.filter(kind__in=["dispute", "dispute_reinstated"]))
        invoices = lock_invoices([share.invoice_id for share in taken.shares])
        movements.give_to(payment, movement.amount_cents, taken, ledger.room_of(invoices), source, now=now)
    Dispute.objects.filter(pk=dispute.pk).update(withdrawn_cents=F("withdrawn_cents") - movement.amount_cents)
    Payment.objects.filter(pk=payment.pk).update(disputed_out_cents=F("disputed_out_cents") - movement.amount_cents)
    record("dispute.money", by=SYSTEM, now=now, target=dispute, after={"amount_cents": movement.amount_cents})
    payment.refresh_from_db()


def source_of(movement: Movement) -> Source:
    """Return the journal's name of a dispute's movement."""
    kind = "dispute" if movement.amount_cents < 0 else "dispute_reinstated"
    return Source(kind, "balance_transaction", movement.id)


def _withdraw(payment: Payment, amount_cents: int, source: Source, now: datetime) -> None:
    held, credit = movements.held_by(payment), movements.credit_of(payment)
    taken = movements.split_taken(amount_cents, (), held, credit, deposits.deposit_of(payment))
    legs = movements.taken_legs(taken, movements.account_of_money(payment))
    ledger.post(source, legs, payment=payment, currency=payment.currency, now=now)
    movements.take_from(payment, taken, now=now)
    if taken.loss_cents:
        report_loss(payment, taken.loss_cents, key=f"loss:{source.id}", now=now)


def _update(dispute: Dispute, facts: DisputeFacts, now: datetime) -> None:
    is_closed = facts.status in Dispute.CLOSED
    dispute.refresh_from_db(fields=["withdrawn_cents", "closed_at"])
    dispute.status = facts.status
    dispute.reason = facts.reason[:60]
    dispute.due_by = facts.due_by
    dispute.closed_at = (dispute.closed_at or now) if is_closed else None
    dispute.save(update_fields=["status", "reason", "due_by", "closed_at"])


def _tell(dispute: Dispute, before: str, now: datetime) -> None:
    """Audit a change and have the office told of a beginning, an escalation and an end, each once."""
    if dispute.status == before:
        return
    record("dispute.changed", by=SYSTEM, now=now, target=dispute, before={"status": before}, after=_shown(dispute))
    stage = "closed" if not dispute.is_open else "inquiry" if dispute.status in Dispute.INQUIRIES else "open"
    if stage == "closed" and dispute.status == "lost" and _is_bank_debit(dispute.payment):
        # A bank's return is final and ends the authorisation: the account must be added again (payments.md 5).
        invalidate_method(dispute.payment.attempt.method_id if dispute.payment.attempt else None, now=now)
    payload = {"dispute": str(dispute.pk), "stage": stage, "is_return": not before and dispute.status == "lost"}
    emit("payment.disputed", key=f"dispute:{dispute.pk}:{stage}", payload=payload, now=now)


def _is_bank_debit(payment: Payment) -> bool:
    return bool(payment.method.get("kind") == "us_bank_account")


def _shown(dispute: Dispute) -> dict[str, object]:
    return {
        "status": dispute.status,
        "amount_cents": dispute.amount_cents,
        "withdrawn_cents": dispute.withdrawn_cents,
        "due_by": dispute.due_by.isoformat() if dispute.due_by else "",
    }
