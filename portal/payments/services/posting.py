"""Makes our rows equal to what Stripe says of one PaymentIntent: any number of times (PAY-09, PAY-10)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.payments import ledger
from portal.payments.errors import IntentDisagrees, UnknownIntent
from portal.payments.intents import IntentFacts
from portal.payments.ledger import Share, Source
from portal.payments.models import Payment, PaymentAttempt
from portal.payments.services.on_file import invalidate_method
from tenants.audit import SYSTEM, record
from tenants.outbox import emit

log = logging.getLogger("porchlight.payments")
State = PaymentAttempt.State
# A bank debit takes days, and an event tells its end; looking is for events that were lost (PAY-11).
LOOK_AGAIN = timedelta(hours=1)
# What a bank says of an account that it will say of the next debit too.
FOR_GOOD = ("account_closed", "no_account", "debit_not_authorized", "mandate_invalid")
CLOSED = (State.SUCCEEDED, State.FAILED, State.EXPIRED)


def apply_intent(*, tenant_id: UUID, account_id: str, facts: IntentFacts, now: datetime) -> PaymentAttempt:
    """Apply the facts to attempt, payment, journal and invoices; raises UnknownIntent, IntentDisagrees.

    No mark of the last applied state is needed here: an intent's states only move forward, a success is final and
    every effect is posted once, so that facts fetched earlier and applied later change nothing (F10).
    """
    attempt_id = _named_attempt(facts)
    with transaction.atomic():
        ledger.lock_root(account_id, facts.id)
        attempt, invoices = lock_for_attempt(attempt_id)
        _check_agreement(attempt, facts, tenant_id)
        if attempt.stripe_pi_id is None:
            PaymentAttempt.objects.filter(pk=attempt.pk).update(stripe_pi_id=facts.id)
            attempt.stripe_pi_id = facts.id
        _move(attempt, invoices, facts, now)
    return attempt


def _named_attempt(facts: IntentFacts) -> UUID:
    try:
        return UUID(facts.metadata.get("attempt", ""))
    except ValueError:
        raise UnknownIntent(facts.id) from None


def lock_for_attempt(attempt_id: UUID) -> tuple[PaymentAttempt, list[Invoice]]:
    """Lock customer, invoices by id, then the attempt (datamodel.md 7.4); raises UnknownIntent."""
    found = PaymentAttempt.objects.filter(pk=attempt_id).first()
    if found is None:
        raise UnknownIntent(str(attempt_id))
    Customer.objects.select_for_update().only("id").get(pk=found.bill_to_id)
    invoices = lock_invoices([share.invoice_id for share in shares_of(found)])
    return PaymentAttempt.objects.select_for_update().get(pk=attempt_id), invoices


def lock_invoices(ids: Sequence[UUID]) -> list[Invoice]:
    """Lock invoices in the one order everybody uses."""
    return list(Invoice.objects.select_for_update().filter(pk__in=ids).order_by("pk"))


def shares_of(attempt: PaymentAttempt) -> list[Share]:
    """Return the attempt's plan. Pure."""
    return [Share(UUID(line["invoice"]), line["amount_cents"]) for line in attempt.plan]


def _check_agreement(attempt: PaymentAttempt, facts: IntentFacts, tenant_id: UUID) -> None:
    """Refuse an intent that is not the attempt's own; nobody guesses where money belongs (PAY-08, F25)."""
    claims = {
        "tenant": (facts.metadata.get("tenant"), str(tenant_id)),
        "plan": (facts.metadata.get("plan_hash"), attempt.plan_hash),
        "amount": (facts.amount_cents, attempt.amount_cents),
        "currency": (facts.currency, attempt.currency),
        "intent": (facts.id, attempt.stripe_pi_id or facts.id),
    }
    wrong = sorted(name for name, (theirs, ours) in claims.items() if theirs != ours)
    if wrong:
        raise IntentDisagrees(f"{facts.id} and attempt {attempt.pk} disagree on {', '.join(wrong)}")


def _move(attempt: PaymentAttempt, invoices: list[Invoice], facts: IntentFacts, now: datetime) -> None:
    if facts.status == "succeeded":
        if attempt.state != State.SUCCEEDED:
            _succeed(attempt, invoices, facts, now)
        _post_fee(attempt, facts, now)
    elif attempt.state in CLOSED:
        return
    elif facts.status == "processing":
        _start_processing(attempt, facts, now)
    elif facts.status == "requires_action":
        change_state(attempt, State.REQUIRES_ACTION)
    elif facts.status in ("requires_payment_method", "canceled"):
        failed = facts.status == "requires_payment_method" or bool(facts.failure_code)
        close_attempt(
            attempt,
            State.FAILED if failed else State.EXPIRED,
            failure_code=facts.failure_code,
            decline_code=facts.decline_code,
            now=now,
        )
    else:
        log.error("an intent is in a state we never ask for", extra={"intent": facts.id, "status": facts.status})


def _succeed(attempt: PaymentAttempt, invoices: list[Invoice], facts: IntentFacts, now: datetime) -> None:
    """Post money that has come in; also when the attempt had been given up before (late success)."""
    free_hold(attempt)
    room = ledger.room_of(lock_invoices([invoice.pk for invoice in invoices]))
    shares, excess = ledger.split_received(facts.received_cents, shares_of(attempt), room)
    payment = Payment.objects.filter(attempt=attempt).first() or _new_payment(attempt, now)
    payment.status = Payment.Status.SUCCEEDED
    payment.received_cents = facts.received_cents
    payment.allocated_cents = sum(share.amount_cents for share in shares)
    payment.method = facts.method
    payment.stripe_pi_id = facts.id
    payment.stripe_charge_id = facts.charge_id or None
    payment.succeeded_at = now
    payment.receipt_no = ledger.take_receipt_number()
    payment.save()
    source = Source("payment", "payment_intent", facts.id)
    ledger.post(source, ledger.payment_legs(shares, excess), payment=payment, currency=payment.currency, now=now)
    ledger.allocate(payment, shares, now=now)
    if excess:
        ledger.keep_as_credit(payment, excess, now=now)
    change_state(attempt, State.SUCCEEDED, closed_at=now, failure_code="", decline_code="")
    record(
        "payment.succeeded",
        by=SYSTEM,
        now=now,
        target=payment,
        after={"amount_cents": payment.received_cents, "receipt": payment.receipt_no, "credit_cents": excess},
    )
    emit("payment.succeeded", key=f"receipt:{payment.pk}", payload={"payment": str(payment.pk)}, now=now)
    _keep_method(attempt, facts, now)


def _keep_method(attempt: PaymentAttempt, facts: IntentFacts, now: datetime) -> None:
    """Have what was paid with put on file when its payer asked for that."""
    if facts.saved_method:
        user = str(attempt.portal_user_id or "")
        payload = {
            "method": facts.saved_method,
            "customer": str(attempt.bill_to_id),
            "user": user,
            "attempt": str(attempt.pk),
        }
        emit("payment.method_saved", key=f"saved:{facts.saved_method}", payload=payload, now=now)


def _origin_of(attempt: PaymentAttempt) -> str:
    if attempt.mandate_id:
        return Payment.Origin.AUTOPAY
    return Payment.Origin.LINK if attempt.share_link_id else Payment.Origin.PORTAL


def _new_payment(attempt: PaymentAttempt, now: datetime) -> Payment:
    return Payment(
        bill_to_id=attempt.bill_to_id,
        attempt=attempt,
        origin=_origin_of(attempt),
        amount_cents=attempt.amount_cents,
        currency=attempt.currency,
        initiated_at=attempt.created_at,
        created_at=now,
    )


def _post_fee(attempt: PaymentAttempt, facts: IntentFacts, now: datetime) -> None:
    """Post what was kept of the payment, once Stripe knows it: the balance transaction may come later (PAY-14)."""
    if not facts.balance_txn:
        return
    payment = Payment.objects.get(attempt=attempt)
    if payment.stripe_balance_txn is None:
        Payment.objects.filter(pk=payment.pk).update(stripe_balance_txn=facts.balance_txn)
    source = Source("fee", "balance_transaction", facts.balance_txn)
    if facts.stripe_fee_cents and not ledger.is_posted(source):
        legs = ledger.fee_legs(facts.stripe_fee_cents)
        ledger.post(source, legs, payment=payment, currency=payment.currency, now=now)


def _start_processing(attempt: PaymentAttempt, facts: IntentFacts, now: datetime) -> None:
    """Turn the reservation into a pending part: under way, not paid (PAY-13)."""
    if attempt.state == State.PROCESSING:
        return
    for share in shares_of(attempt):
        Invoice.objects.filter(pk=share.invoice_id).update(
            reserved_cents=F("reserved_cents") - share.amount_cents,
            pending_cents=F("pending_cents") + share.amount_cents,
        )
    payment = _new_payment(attempt, now)
    payment.status = Payment.Status.PROCESSING
    payment.stripe_pi_id = facts.id
    payment.method = facts.method
    payment.save()
    kind = facts.method.get("kind") or attempt.method_kind
    change_state(attempt, State.PROCESSING, method_kind=kind, expires_at=now + LOOK_AGAIN)
    emit("payment.processing", key=f"processing:{payment.pk}", payload={"payment": str(payment.pk)}, now=now)
    _keep_method(attempt, facts, now)


def close_attempt(
    attempt: PaymentAttempt, state: State, *, failure_code: str = "", decline_code: str = "", now: datetime
) -> None:
    """End a locked attempt without money and free what it held."""
    free_hold(attempt)
    under_way = Payment.objects.filter(attempt=attempt, status=Payment.Status.PROCESSING)
    for payment_id in list(under_way.values_list("pk", flat=True)):
        under_way.update(status=Payment.Status.FAILED, failed_at=now, failure_code=failure_code[:60])
        payload = {"payment": str(payment_id)}
        if failure_code in FOR_GOOD:
            invalidate_method(attempt.method_id, now=now)
        emit("payment.bank_failed", key=f"bank_failed:{payment_id}", payload=payload, now=now)
    change_state(attempt, state, closed_at=now, failure_code=failure_code[:60], decline_code=decline_code[:60])
    record(
        "payment.failed" if state == State.FAILED else "payment.expired",
        by=SYSTEM,
        now=now,
        target=attempt,
        after={"failure_code": failure_code, "decline_code": decline_code},
    )


def free_hold(attempt: PaymentAttempt) -> None:
    """Give back what a locked attempt holds of its invoices; a closed one holds nothing."""
    if attempt.state in CLOSED or attempt.state == State.CREATED:
        return
    column = "pending_cents" if attempt.state == State.PROCESSING else "reserved_cents"
    for share in shares_of(attempt):
        Invoice.objects.filter(pk=share.invoice_id).update(**{column: F(column) - share.amount_cents})


def change_state(attempt: PaymentAttempt, state: State, **fields: object) -> None:
    """Compare-and-set the state of a locked attempt."""
    changed = PaymentAttempt.objects.filter(pk=attempt.pk, state=attempt.state).update(state=state, **fields)
    if changed != 1:
        raise RuntimeError(f"Attempt {attempt.pk} was locked and changed nevertheless.")
    attempt.state = state
    for name, value in fields.items():
        setattr(attempt, name, value)
