"""Finds out what became of an attempt and writes it down; the browser, the webhook and the sweeper all end here."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from portal.payments import intents
from portal.payments.intents import AnswerUnknown, IntentFacts, NotExecuted
from portal.payments.models import PaymentAttempt
from portal.payments.services.posting import (
    CLOSED,
    LOOK_AGAIN,
    apply_intent,
    close_attempt,
    find_named_attempt,
    lock_for_attempt,
)
from tenants.context import TenantContext
from tenants.payment_accounts import read_payment_account

log = logging.getLogger("porchlight.payments")
State = PaymentAttempt.State

UNSETTLED = (State.SUBMITTED, State.UNKNOWN, State.REQUIRES_ACTION, State.PROCESSING)
# A call that is still in the air gets this long before anybody else asks.
IN_THE_AIR = timedelta(seconds=60)
CANCELABLE = ("requires_action", "requires_payment_method", "requires_confirmation")


@dataclass(frozen=True, slots=True)
class Settled:
    """An attempt as it is now; the secret only when the payer's bank wants an answer."""

    attempt: PaymentAttempt
    client_secret: str = field(default="", repr=False)
    account_id: str = ""


def account_of(context: TenantContext) -> str:
    """Return the account on which this tenant's attempts live, also while it is disconnected; raises LookupError.

    Must run outside any transaction: a disconnected account is known to the control plane alone.
    """
    found = find_account(context)
    if not found:
        raise LookupError("This company never had a payment account.")
    return found


def find_account(context: TenantContext) -> str:
    """Return the same, or nothing for a company that never had one. Must run outside any transaction."""
    if context.tenant.payment_account:
        return context.tenant.payment_account.account_id
    known = read_payment_account(context.tenant.id)
    return known.account_id if known else ""


def settle_attempt(*, context: TenantContext, attempt_id: UUID, now: datetime) -> Settled:
    """Ask Stripe how the attempt stands and apply it; safe to repeat, in parallel too (F1, F2, F4, F11, F14).

    Must run outside any transaction. An attempt past its end is canceled at Stripe first and only then freed.
    """
    attempt = PaymentAttempt.objects.get(pk=attempt_id)
    if attempt.state in CLOSED or _is_in_the_air(attempt, now):
        return Settled(attempt)
    account_id = account_of(context)
    try:
        found = _find_out(attempt, account_id, now)
        if isinstance(found, IntentFacts):
            found = _end_if_over(attempt, found, account_id, now)
    except AnswerUnknown as error:
        log.warning("a payment is in doubt", extra={"attempt": str(attempt_id), "error": repr(error.__cause__)})
        return Settled(mark_unknown(attempt_id))
    if isinstance(found, IntentFacts):
        applied = apply_intent(tenant_id=context.tenant.id, account_id=account_id, facts=found, now=now)
        secret = found.client_secret if applied.state == State.REQUIRES_ACTION else ""
        return Settled(applied, secret, account_id)
    if isinstance(found, NotExecuted):
        return Settled(close_unexecuted(attempt_id, State.FAILED, code=found.code, now=now))
    if attempt.expires_at <= now:
        return Settled(close_unexecuted(attempt_id, State.EXPIRED, code="", now=now))
    return Settled(attempt)


def _is_in_the_air(attempt: PaymentAttempt, now: datetime) -> bool:
    sent = attempt.submitted_at or attempt.created_at
    return attempt.state == State.SUBMITTED and attempt.stripe_pi_id is None and now - sent < IN_THE_AIR


def _find_out(attempt: PaymentAttempt, account_id: str, now: datetime) -> IntentFacts | NotExecuted | None:
    """Return what Stripe knows of the attempt; None proves that it knows nothing; raises AnswerUnknown."""
    if attempt.stripe_pi_id:
        return intents.retrieve_intent(account_id, attempt.stripe_pi_id)
    answer = None
    if now < attempt.expires_at and _is_repeatable(attempt, account_id):
        # Same key, same letters: what was carried out is replayed, what was not happens now (PAY-04).
        try:
            answer = intents.create_intent(
                account_id, attempt.request, token=attempt.confirmation_token, key=str(attempt.pk)
            )
        except AnswerUnknown as error:
            log.info("repeating a payment brought no answer", extra={"error": repr(error.__cause__)})
        if isinstance(answer, IntentFacts):
            return answer
    # A saved error is replayed for ever, and an old key is forgotten: then only looking helps (F4, PAY-06).
    sent = attempt.submitted_at or attempt.created_at
    found = intents.find_intent(account_id, customer=attempt.request["customer"], attempt_id=attempt.pk, since=sent)
    return found or answer


def _is_repeatable(attempt: PaymentAttempt, account_id: str) -> bool:
    """Whether the stored request is still the one whose hash was kept (PAY-05)."""
    same = intents.hash_request(account_id, attempt.request, attempt.confirmation_token) == attempt.request_hash
    if not same:
        log.critical("an attempt's request has changed; it is not repeated", extra={"attempt": str(attempt.pk)})
    return same


def _end_if_over(attempt: PaymentAttempt, facts: IntentFacts, account_id: str, now: datetime) -> IntentFacts:
    """Cancel an intent whose time is over, or whose secret the browser knows and whose card was refused.

    What is freed here must not be payable there any more; a payment in the last moment is returned as what it is.
    """
    is_over = attempt.expires_at <= now and facts.status in CANCELABLE
    was_refused = attempt.state == State.REQUIRES_ACTION and facts.status == "requires_payment_method"
    return intents.cancel_intent(account_id, facts.id) if is_over or was_refused else facts


def settle_intent(*, context: TenantContext, account_id: str, intent_id: str, now: datetime) -> PaymentAttempt:
    """Look at an intent that an event named and apply it; raises AnswerUnknown, UnknownIntent, IntentDisagrees."""
    facts = intents.retrieve_intent(account_id, intent_id)
    attempt = find_named_attempt(facts)
    # Only what is known to be ours is canceled; a name in the metadata alone proves nothing.
    if attempt.stripe_pi_id == intent_id and attempt.state not in CLOSED:
        facts = _end_if_over(attempt, facts, account_id, now)
    return apply_intent(tenant_id=context.tenant.id, account_id=account_id, facts=facts, now=now, known=attempt)


def abandon_attempt(*, context: TenantContext, attempt_id: UUID, now: datetime) -> PaymentAttempt:
    """Give up an attempt that waits for its payer: cancel at Stripe, then free; raises AnswerUnknown."""
    attempt = PaymentAttempt.objects.get(pk=attempt_id)
    if attempt.state != State.REQUIRES_ACTION or not attempt.stripe_pi_id:
        return attempt
    account_id = account_of(context)
    facts = intents.cancel_intent(account_id, attempt.stripe_pi_id)
    return apply_intent(tenant_id=context.tenant.id, account_id=account_id, facts=facts, now=now)


def mark_unknown(attempt_id: UUID) -> PaymentAttempt:
    """Note that nobody knows yet; the reservation stays."""
    PaymentAttempt.objects.filter(pk=attempt_id, state=State.SUBMITTED).update(state=State.UNKNOWN)
    return PaymentAttempt.objects.get(pk=attempt_id)


def close_unexecuted(attempt_id: UUID, state: State, *, code: str, now: datetime) -> PaymentAttempt:
    """End an attempt of which Stripe knows nothing."""
    with transaction.atomic():
        attempt, _ = lock_for_attempt(PaymentAttempt.objects.get(pk=attempt_id))
        if attempt.state in (State.SUBMITTED, State.UNKNOWN) and attempt.stripe_pi_id is None:
            close_attempt(attempt, state, failure_code=code, now=now)
        return attempt


def has_open_attempts() -> bool:
    """Whether the tenant in scope has anything to settle; one index probe."""
    return PaymentAttempt.objects.filter(state__in=UNSETTLED).exists()


def resume_attempts(*, context: TenantContext, now: datetime) -> int:
    """Settle every attempt of the tenant that is not closed and not just under way; return how many."""
    waiting = PaymentAttempt.objects.filter(state__in=UNSETTLED).order_by("created_at")
    done = 0
    for attempt in waiting:
        if attempt.state == State.REQUIRES_ACTION and attempt.expires_at > now:
            continue  # the payer is at the bank's page; webhook or browser will tell
        if attempt.state == State.PROCESSING:
            if attempt.expires_at > now:
                continue  # a bank debit takes days; its end is told by an event, and looked for now and then
            PaymentAttempt.objects.filter(pk=attempt.pk).update(expires_at=now + LOOK_AGAIN)
        try:
            settle_attempt(context=context, attempt_id=attempt.pk, now=now)
            done += 1
        except Exception:
            # One attempt that cannot be settled must not keep the others waiting.
            log.exception("an attempt could not be settled", extra={"attempt": str(attempt.pk)})
    return done
