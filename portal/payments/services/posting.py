"""Makes our rows equal to what Stripe says of one PaymentIntent: any number of times (PAY-09, PAY-10)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from portal.invoices.models import Invoice
from portal.payments import deposits, ledger
from portal.payments.errors import IntentDisagrees, UnknownIntent
from portal.payments.intents import IntentFacts
from portal.payments.ledger import Effect, Share, Source
from portal.payments.models import Payment, PaymentAttempt
from portal.payments.services.on_file import invalidate_method, lock_customer
from tenants.audit import SYSTEM, record
from tenants.outbox import emit

log = logging.getLogger("porchlight.payments")
State = PaymentAttempt.State
# A bank debit takes days, and an event tells its end; looking is for events that were lost (PAY-11).
LOOK_AGAIN = timedelta(hours=1)
# What a bank says of an account that it will say of the next debit too.
FOR_GOOD = ("account_closed", "no_account", "debit_not_authorized", "mandate_invalid")
CLOSED = (State.SUCCEEDED, State.FAILED, State.EXPIRED)


def apply_intent(
    *, tenant_id: UUID, account_id: str, facts: IntentFacts, now: datetime, known: PaymentAttempt | None = None
) -> PaymentAttempt:
    """Apply the facts to attempt, payment, journal and invoices; raises UnknownIntent, IntentDisagrees.

    No mark of the last applied state is needed here: an intent's states only move forward, a success is final and
    every effect is posted once, so that facts fetched earlier and applied later change nothing (F10). `known` is the
    attempt that the facts name, if it was read already; of it only what never changes is believed.
    """
    found = known or find_named_attempt(facts)
    _check_agreement(found, facts, tenant_id)
    if _is_told_before(found, facts):
        return found
    with transaction.atomic():
        ledger.lock_root(account_id, facts.id)
        attempt, invoices = lock_for_attempt(found)
        _check_agreement(attempt, facts, tenant_id)
        if attempt.stripe_pi_id is None:
            PaymentAttempt.objects.filter(pk=attempt.pk).update(stripe_pi_id=facts.id)
            attempt.stripe_pi_id = facts.id
        _move(attempt, invoices, facts, now)
    return attempt


def find_named_attempt(facts: IntentFacts) -> PaymentAttempt:
    """Return the attempt that an intent says it belongs to; raises UnknownIntent."""
    try:
        return PaymentAttempt.objects.get(pk=UUID(facts.metadata.get("attempt", "")))
    except (ValueError, PaymentAttempt.DoesNotExist):
        raise UnknownIntent(facts.id) from None


def _is_told_before(attempt: PaymentAttempt, facts: IntentFacts) -> bool:
    """Whether a success and its fee stand already: both are final, so that no lock is needed to say so (F9).

    Of every payment Stripe tells several times; all but the first end here.
    """
    if facts.status != "succeeded" or attempt.state != State.SUCCEEDED:
        return False
    # The name of the balance transaction is written together with its fee.
    told = Payment.objects.filter(attempt=attempt, stripe_balance_txn=facts.balance_txn)
    return not facts.balance_txn or told.exists()


def lock_for_attempt(found: PaymentAttempt) -> tuple[PaymentAttempt, list[Invoice]]:
    """Lock customer, invoices by id, estimate, then the attempt (datamodel.md 7.4); return it as it is now."""
    lock_customer(found.bill_to_id)
    invoices = lock_invoices([share.invoice_id for share in shares_of(found)])
    deposits.lock_estimates([deposits.estimate_of(found)])
    return PaymentAttempt.objects.select_for_update().get(pk=found.pk), invoices


def lock_invoices(ids: Sequence[UUID]) -> list[Invoice]:
    """Lock invoices in the one order everybody uses."""
    return list(Invoice.objects.select_for_update().filter(pk__in=ids).order_by("pk"))


def shares_of(attempt: PaymentAttempt) -> list[Share]:
    """Return what an attempt's plan pays of invoices; nothing when it pays a deposit. Pure."""
    return [Share(UUID(line["invoice"]), line["amount_cents"]) for line in attempt.plan if "invoice" in line]


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
    if facts.status == "succeeded" and attempt.state == State.SUCCEEDED:
        _post_late_fee(attempt, facts, now)
    elif facts.status == "succeeded":
        _succeed(attempt, invoices, facts, now)
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
    free_hold(attempt, invoices)
    shares, excess = ledger.split_received(facts.received_cents, shares_of(attempt), ledger.room_of(invoices))
    estimate_id = deposits.estimate_of(attempt)
    deposit = min(excess, deposits.room_for(estimate_id))
    excess -= deposit
    payment = _begun_payment(attempt) or _new_payment(attempt, now)
    payment.status = Payment.Status.SUCCEEDED
    payment.received_cents = facts.received_cents
    payment.allocated_cents = sum(share.amount_cents for share in shares) + deposit
    payment.method = facts.method
    payment.stripe_pi_id = facts.id
    payment.stripe_charge_id = facts.charge_id or None
    payment.stripe_balance_txn = facts.balance_txn or None
    payment.succeeded_at = now
    payment.receipt_no = ledger.take_receipt_number()
    payment.save()
    source = Source("payment", "payment_intent", facts.id)
    legs = ledger.payment_legs(shares, excess, deposit=deposits.legs_in(deposit))
    effects = [(source, legs), *_fee_effect(facts)]
    ledger.post_all(effects, payment=payment, currency=payment.currency, now=now)
    ledger.allocate(payment, shares, now=now)
    if estimate_id and deposit:
        deposits.allocate(payment, estimate_id, deposit, now=now)
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


def _begun_payment(attempt: PaymentAttempt) -> Payment | None:
    """Return the payment of an attempt that was processing once; before that there is none."""
    if attempt.state in (State.SUBMITTED, State.UNKNOWN):
        return None
    return Payment.objects.filter(attempt=attempt).first()


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


def _post_late_fee(attempt: PaymentAttempt, facts: IntentFacts, now: datetime) -> None:
    """Post what was kept of a payment that was posted before Stripe knew it (PAY-14)."""
    if not facts.balance_txn:
        return
    payment = Payment.objects.get(attempt=attempt)
    if payment.stripe_balance_txn is None:
        Payment.objects.filter(pk=payment.pk).update(stripe_balance_txn=facts.balance_txn)
    effects = [effect for effect in _fee_effect(facts) if not ledger.is_posted(effect[0])]
    ledger.post_all(effects, payment=payment, currency=payment.currency, now=now)


def _fee_effect(facts: IntentFacts) -> list[Effect]:
    """Return the legs of what was kept of the payment, once Stripe knows it. Pure."""
    if not (facts.balance_txn and facts.stripe_fee_cents):
        return []
    return [(Source("fee", "balance_transaction", facts.balance_txn), ledger.fee_legs(facts.stripe_fee_cents))]


def _start_processing(attempt: PaymentAttempt, facts: IntentFacts, now: datetime) -> None:
    """Turn the reservation into a pending part: under way, not paid (PAY-13)."""
    if attempt.state == State.PROCESSING:
        return
    ledger.hold(shares_of(attempt), reserved=-1, pending=+1)
    deposits.hold(attempt, reserved=-1, pending=+1)
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


def free_hold(attempt: PaymentAttempt, invoices: Iterable[Invoice] = ()) -> None:
    """Give back what a locked attempt holds, in the given locked invoices too; a closed one holds nothing."""
    if attempt.state in CLOSED or attempt.state == State.CREATED:
        return
    is_pending = attempt.state == State.PROCESSING
    column = "pending_cents" if is_pending else "reserved_cents"
    deposits.hold(attempt, reserved=0 if is_pending else -1, pending=-1 if is_pending else 0)
    locked = {invoice.pk: invoice for invoice in invoices}
    for share in shares_of(attempt):
        Invoice.objects.filter(pk=share.invoice_id).update(**{column: F(column) - share.amount_cents})
        if invoice := locked.get(share.invoice_id):
            setattr(invoice, column, getattr(invoice, column) - share.amount_cents)


def change_state(attempt: PaymentAttempt, state: State, **fields: object) -> None:
    """Compare-and-set the state of a locked attempt."""
    changed = PaymentAttempt.objects.filter(pk=attempt.pk, state=attempt.state).update(state=state, **fields)
    if changed != 1:
        raise RuntimeError(f"Attempt {attempt.pk} was locked and changed nevertheless.")
    attempt.state = state
    for name, value in fields.items():
        setattr(attempt, name, value)
