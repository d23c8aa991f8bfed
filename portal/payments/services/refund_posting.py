"""Makes our rows equal to what Stripe says of one refund: any number of times (F18, F21, PAY-09, PAY-10)."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from portal.invoices.models import Invoice
from portal.payments import deposits, ledger, movements
from portal.payments.errors import IntentDisagrees, UnknownIntent
from portal.payments.ledger import Share, Source
from portal.payments.models import Payment, Refund
from portal.payments.refund_facts import RefundFacts
from portal.payments.services.aftermath import find_received, lock_payment, post_fee, report_loss, set_status
from portal.payments.services.posting import lock_invoices
from tenants.audit import SYSTEM, record
from tenants.outbox import emit

log = logging.getLogger("porchlight.payments")
State = Refund.State
# A refund only moves forward; Stripe may fail one even after it has called it succeeded (F18).
RANK = {
    State.REQUESTED: 0,
    State.PENDING: 1,
    State.REQUIRES_ACTION: 1,
    State.SUCCEEDED: 2,
    State.FAILED: 3,
    State.CANCELED: 3,
}


def apply_refund(*, tenant_id: UUID, account_id: str, facts: RefundFacts, now: datetime) -> Refund:
    """Apply the facts to refund, payment, journal and invoices; raises UnknownIntent, IntentDisagrees.

    A refund that nobody here has asked for was made in Stripe's own dashboard: it is adopted (F21).
    """
    with transaction.atomic():
        ledger.lock_root(account_id, facts.intent_id)
        payment = lock_payment(_payment_of(facts))
        refund = _known(facts, payment, tenant_id) or _adopt(facts, payment, now)
        if facts.amount_cents != refund.amount_cents or facts.currency != refund.currency:
            raise IntentDisagrees(f"{facts.id} and refund {refund.pk} disagree on the amount")
        if refund.stripe_refund_id is None:
            take_out(refund, payment, facts.id, now)
            _tell(refund, facts, now)
        _move(refund, payment, facts, now)
        _post_fees(payment, facts, now)
        set_status(payment)
    return refund


def _payment_of(facts: RefundFacts) -> UUID:
    found = find_received(facts.intent_id)
    if found is None:
        raise UnknownIntent(facts.intent_id or facts.id)
    return found


def _known(facts: RefundFacts, payment: Payment, tenant_id: UUID) -> Refund | None:
    known = Refund.objects.select_for_update().filter(stripe_refund_id=facts.id).first()
    if known is None and facts.metadata.get("tenant") == str(tenant_id):
        known = _named(facts, payment)
    if known and known.payment_id != payment.pk:
        raise IntentDisagrees(f"{facts.id} belongs to another payment than refund {known.pk}")
    return known


def _named(facts: RefundFacts, payment: Payment) -> Refund | None:
    """Return the refund that Stripe's names, if it waits for its id: metadata can be copied by hand."""
    try:
        refund_id = UUID(facts.metadata.get("refund", ""))
    except ValueError:
        return None
    waiting = Refund.objects.select_for_update().filter(pk=refund_id, payment=payment, stripe_refund_id=None)
    return waiting.filter(origin=Refund.Origin.OFFICE).first()


def _adopt(facts: RefundFacts, payment: Payment, now: datetime) -> Refund:
    """Record a refund made by hand at Stripe; the invoices become due again, as nobody said otherwise."""
    _make_way(payment, facts.amount_cents, now)
    refund = Refund.objects.create(
        payment=payment,
        amount_cents=facts.amount_cents,
        currency=facts.currency,
        state=State.PENDING,
        origin=Refund.Origin.DASHBOARD,
        reason=Refund.Reason.DUPLICATE if facts.reason == "duplicate" else Refund.Reason.CUSTOMER,
        created_at=now,
    )
    Payment.objects.filter(pk=payment.pk).update(refunded_cents=F("refunded_cents") + facts.amount_cents)
    record("refund.adopted", by=SYSTEM, now=now, target=refund, after={"amount_cents": refund.amount_cents})
    return refund


def _make_way(payment: Payment, amount_cents: int, now: datetime) -> None:
    """End our own requests that the fact leaves no room for: Stripe refunds no charge beyond its amount."""
    waiting = Refund.objects.filter(payment=payment, state=State.REQUESTED, stripe_refund_id=None).order_by("-id")
    for refund in list(waiting):
        payment.refresh_from_db(fields=["refunded_cents"])
        if payment.refunded_cents + amount_cents <= payment.received_cents:
            return
        give_up(refund, "charge_already_refunded", now)


def give_up(refund: Refund, code: str, now: datetime) -> None:
    """End a refund that Stripe never made; what it had set aside can be refunded again."""
    changed = Refund.objects.filter(pk=refund.pk, state=State.REQUESTED, stripe_refund_id=None).update(
        state=State.FAILED, failure_code=code[:60], closed_at=now
    )
    if changed:
        Payment.objects.filter(pk=refund.payment_id).update(refunded_cents=F("refunded_cents") - refund.amount_cents)
        record("refund.refused", by=SYSTEM, now=now, target=refund, after={"code": code})
        refund.refresh_from_db()


def take_out(refund: Refund, payment: Payment, refund_ref: str, now: datetime) -> None:
    """Post a refund that has been made: invoices reopen or are forgiven, as its lines say."""
    wanted = [Share(UUID(line["invoice"]), line["amount_cents"]) for line in refund.lines if line["invoice"]]
    held, credit, deposit = movements.held_by(payment), movements.credit_of(payment), deposits.deposit_of(payment)
    taken = movements.split_taken(refund.amount_cents, wanted, held, credit, deposit)
    account = movements.account_of_money(payment)
    paid_at = dict(Invoice.objects.filter(pk__in=[s.invoice_id for s in taken.shares]).values_list("pk", "paid_at"))
    legs = movements.taken_legs(taken, account)
    source = source_of(refund_ref)
    if refund.origin == Refund.Origin.CORRECTION:
        source = Source("reversal", "refund", refund_ref)
    ledger.post(source, legs, payment=payment, currency=refund.currency, now=now)
    movements.take_from(payment, taken, now=now)
    deposits.give_up(payment, taken.deposit_cents, now=now)
    kept = _kept(refund, taken.shares)
    if kept:
        movements.forgive(payment, kept, paid_at, note_of(refund_ref), now=now)
    Refund.objects.filter(pk=refund.pk).update(stripe_refund_id=refund_ref if payment.stripe_pi_id else None)
    refund.stripe_refund_id = refund_ref if payment.stripe_pi_id else None
    if taken.loss_cents:
        report_loss(payment, taken.loss_cents, key=f"loss:{refund_ref}", now=now)
    payment.refresh_from_db()


def _kept(refund: Refund, shares: tuple[Share, ...]) -> list[Share]:
    keep = {line["invoice"]: line["amount_cents"] for line in refund.lines if line.get("effect") == "keep"}
    found = [Share(s.invoice_id, min(s.amount_cents, keep.get(str(s.invoice_id), 0))) for s in shares]
    return [share for share in found if share.amount_cents]


def source_of(refund_ref: str) -> Source:
    """Return the journal's name of a refund."""
    return Source("refund", "refund", refund_ref)


def note_of(refund_ref: str) -> Source:
    """Return the journal's name of the credit note of a refund."""
    return Source("credit_note", "refund", refund_ref)


def _tell(refund: Refund, facts: RefundFacts, now: datetime) -> None:
    if State(facts.status) in Refund.ENDED:
        return
    record("refund.made", by=SYSTEM, now=now, target=refund, after={"amount_cents": refund.amount_cents})
    emit("refund.made", key=f"refund:{refund.pk}", payload={"refund": str(refund.pk)}, now=now)


def _move(refund: Refund, payment: Payment, facts: RefundFacts, now: datetime) -> None:
    before, after = State(refund.state), State(facts.status)
    if RANK[after] < RANK[before] or after == before:
        return
    closed_at = now if RANK[after] >= RANK[State.SUCCEEDED] else None
    Refund.objects.filter(pk=refund.pk).update(
        state=after, closed_at=closed_at, failure_code=facts.failure_code[:60] if after in Refund.ENDED else ""
    )
    refund.state, refund.closed_at = after, closed_at
    if after in Refund.ENDED:
        if before not in Refund.ENDED:
            _bring_back(refund, payment, facts, now)
        return


def _bring_back(refund: Refund, payment: Payment, facts: RefundFacts, now: datetime) -> None:
    """Give the refunded amount back to where it came from, and tell the office (F18)."""
    undone = Source("credit_note_undone", "refund", facts.id)
    movements.unforgive(payment, note_of(facts.id), undone, now=now)
    taken = movements.taken_by(source_of(facts.id))
    invoices = lock_invoices([share.invoice_id for share in taken.shares])
    source = Source("refund_failed", "refund", facts.id)
    deposits.agree_again(payment, taken.deposit_cents, now=now)
    movements.give_to(payment, refund.amount_cents, taken, ledger.room_of(invoices), source, now=now)
    Payment.objects.filter(pk=payment.pk).update(refunded_cents=F("refunded_cents") - refund.amount_cents)
    record("refund.failed", by=SYSTEM, now=now, target=refund, after={"code": facts.failure_code})
    emit("refund.failed", key=f"refund_failed:{refund.pk}", payload={"refund": str(refund.pk)}, now=now)
    payment.refresh_from_db()


def _post_fees(payment: Payment, facts: RefundFacts, now: datetime) -> None:
    """Post what Stripe gave back of its fee or ours with the refund, and note the movements (PAY-14)."""
    for column, movement in (("stripe_balance_txn", facts.out), ("failure_txn", facts.back)):
        if movement:
            Refund.objects.filter(stripe_refund_id=facts.id).update(**{column: movement.id})
            post_fee(payment, movement, now=now)
