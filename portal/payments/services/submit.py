"""Pays by card: reserve under lock, call Stripe without a transaction, apply (payments.md 3, PAY-03…05, PAY-12)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from infra.ids import uuid7
from infra.stripe_client import is_stripe_away
from portal.payments import errors, intents
from portal.payments.amounts import compute_application_fee
from portal.payments.deposits import targets_of
from portal.payments.intents import AnswerUnknown, NotExecuted, NotSent
from portal.payments.models import PaymentAttempt
from portal.payments.payers import Payer
from portal.payments.plans import PayRules
from portal.payments.services.card_testing import SUBMITTED, refuse_card_testing
from portal.payments.services.claims import Claim, DepositClaim, InvoiceClaim
from portal.payments.services.on_file import lock_customer
from portal.payments.services.posting import apply_intent
from portal.payments.services.settle import Settled, abandon_attempt, close_unexecuted, mark_unknown
from portal.payments.services.stripe_customers import ensure_stripe_customer
from portal.payments.ways import Way, takes_anything, way_by_token, way_of_mandate, way_on_file
from tenants.audit import Actor, record
from tenants.context import TenantContext

log = logging.getLogger("porchlight.payments")
State = PaymentAttempt.State
RESERVATION = timedelta(minutes=15)
FULL_ONLY = PayRules()


@dataclass(frozen=True, slots=True)
class Submission:
    """What the payer's browser sent; `seen_cents` is only compared, `part_cents` only taken within the rules.

    `method_id` names a method on file in place of a token; `saves` asks to keep what is paid with.
    `name` and `email` say who pays where nobody is signed in.
    """

    form_key: UUID
    seen_cents: int
    token: str
    part_cents: int | None = None
    name: str = ""
    email: str = ""
    method_id: UUID | None = None
    saves: bool = False
    user_agent: str = ""


def portal_result(attempt_id: UUID) -> str:
    """Return the path of the result page in the portal."""
    return reverse("result", args=[attempt_id], urlconf="portal.payments.urls")


def submit_payment(
    *,
    context: TenantContext,
    bill_to_id: UUID,
    payer: Payer,
    submission: Submission,
    by: Actor,
    now: datetime,
    invoice_ids: Sequence[UUID] = (),
    estimate_id: UUID | None = None,
    rules: PayRules = FULL_ONLY,
    result_path: Callable[[UUID], str] = portal_result,
) -> Settled:
    """Pay what is due on the invoices, or a part of it; raises PaymentRefused before anything was charged.

    With `estimate_id` it is the deposit on that estimate.

    `result_path` says where the payer's bank sends back to.
    Must run outside any transaction. The same form key, however often and however parallel, is one payment (F5).
    """
    account = context.tenant.payment_account
    if account is None or not account.can_charge:
        raise errors.PaymentsOff
    way = _way_of(submission, bill_to_id, payer, rules, context.tenant.currency, by)
    if is_stripe_away():
        raise errors.StripeIsAway
    claim: Claim = DepositClaim([estimate_id]) if estimate_id else InvoiceClaim(invoice_ids)
    paid = _give_up_own_waiting(context, claim.ids, payer, submission.form_key, now)
    if paid:
        return Settled(paid)
    customer_id = ensure_stripe_customer(context=context, customer_id=bill_to_id, now=now)
    attempt, is_new = _reserve(
        context=context,
        account_id=account.account_id,
        stripe_customer=customer_id,
        bill_to_id=bill_to_id,
        claim=claim,
        payer=payer,
        submission=submission,
        way=way,
        rules=rules,
        result_path=result_path,
        by=by,
        now=now,
    )
    if not is_new:
        return Settled(attempt)
    return _call_and_apply(context, account.account_id, attempt, now)


def _way_of(submission: Submission, bill_to_id: UUID, payer: Payer, rules: PayRules, currency: str, by: Actor) -> Way:
    """Return how is paid; what is on file is for people who are signed in."""
    if not takes_anything(rules, currency):
        raise errors.PaymentsOff
    if submission.method_id is None:
        return way_by_token(submission.token, rules, currency, saves=submission.saves and bool(payer.portal_user_id))
    if payer.mandate_id:
        return way_of_mandate(submission.method_id, bill_to_id, rules, currency)
    if payer.portal_user_id is None:
        raise errors.MethodGone
    agent = submission.user_agent
    return way_on_file(submission.method_id, bill_to_id, rules, currency, by=by, user_agent=agent)


def _give_up_own_waiting(
    context: TenantContext, target_ids: Sequence[UUID], payer: Payer, form_key: UUID, now: datetime
) -> PaymentAttempt | None:
    """Cancel what this same person left at the bank's page; return it if it was paid in this moment."""
    for attempt in own_waiting(target_ids, payer):
        if attempt.form_key == form_key:
            continue
        try:
            ended = abandon_attempt(context=context, attempt_id=attempt.pk, now=now)
        except AnswerUnknown:
            raise errors.SomebodyIsPaying(attempt.created_at) from None
        if ended.state == State.SUCCEEDED:
            return ended
    return None


def own_waiting(target_ids: Sequence[UUID], payer: Payer) -> list[PaymentAttempt]:
    """Return this payer's attempts on these invoices, or on this estimate's deposit, that wait for the bank's page."""
    return _own(target_ids, payer, [State.REQUIRES_ACTION])


def own_under_way(target_ids: Sequence[UUID], payer: Payer) -> PaymentAttempt | None:
    """Return this payer's payment of one of them of which nobody knows yet how it ends."""
    found = _own(target_ids, payer, [State.SUBMITTED, State.UNKNOWN, State.PROCESSING])
    return found[0] if found else None


def _own(target_ids: Sequence[UUID], payer: Payer, states: Sequence[str]) -> list[PaymentAttempt]:
    wanted = set(target_ids)
    mine = payer.attempts().filter(state__in=states).order_by("-created_at")
    return [attempt for attempt in mine if wanted & targets_of(attempt)]


@transaction.atomic
def _reserve(
    *,
    context: TenantContext,
    account_id: str,
    stripe_customer: str,
    bill_to_id: UUID,
    claim: Claim,
    payer: Payer,
    submission: Submission,
    way: Way,
    rules: PayRules,
    result_path: Callable[[UUID], str],
    by: Actor,
    now: datetime,
) -> tuple[PaymentAttempt, bool]:
    """Decide and reserve under lock; return the attempt and whether it is new."""
    lock_customer(bill_to_id)
    known = PaymentAttempt.objects.filter(form_key=submission.form_key).first()
    if known:
        same = targets_of(known) <= set(claim.ids)
        if not same or not payer.made(known):
            raise errors.FormReused
        return known, False
    refuse_card_testing(payer=payer, bill_to_id=bill_to_id, ip=by.ip, now=now)
    claim.lock(bill_to_id)
    amount = claim.decide_amount(submission.seen_cents, submission.part_cents, rules)
    plan = claim.reserve(amount)
    attempt = _draft_attempt(context, account_id, stripe_customer, claim, plan, submission, way, result_path, now)
    payer.sign(attempt)
    attempt.bill_to_id = bill_to_id
    attempt.save()
    record(
        SUBMITTED,
        by=by,
        now=now,
        target=attempt,
        after={"amount_cents": amount, claim.called: claim.numbers},
    )
    return attempt, True


def _draft_attempt(
    context: TenantContext,
    account_id: str,
    stripe_customer: str,
    claim: Claim,
    plan: list[dict[str, Any]],
    submission: Submission,
    way: Way,
    result_path: Callable[[UUID], str],
    now: datetime,
) -> PaymentAttempt:
    """Build the attempt with the exact call it will make; key and hash are stored before it (PAY-05)."""
    attempt_id = uuid7()
    amount = sum(line["amount_cents"] for line in plan)
    plan_hash = intents.hash_plan(plan)
    request = intents.build_request(
        attempt_id=attempt_id,
        tenant_id=context.tenant.id,
        plan_hash=plan_hash,
        amount_cents=amount,
        currency=claim.currency,
        customer=stripe_customer,
        application_fee_cents=compute_application_fee(amount, context.tenant.application_fee_bps),
        return_url=context.tenant.url(result_path(attempt_id)),
        description=claim.describe(plan)[:500],
        way=way.params,
    )
    return PaymentAttempt(
        id=attempt_id,
        form_key=submission.form_key,
        plan=plan,
        plan_hash=plan_hash,
        request=request,
        request_hash=intents.hash_request(account_id, request, way.token),
        method_id=way.method.pk if way.method else None,
        method_kind=way.kind,
        amount_cents=amount,
        currency=claim.currency,
        state=State.SUBMITTED,
        confirmation_token=way.token,
        payer_name=submission.name,
        payer_email=submission.email,
        created_at=now,
        submitted_at=now,
        expires_at=now + RESERVATION,
    )


def _call_and_apply(context: TenantContext, account_id: str, attempt: PaymentAttempt, now: datetime) -> Settled:
    try:
        answer = intents.create_intent(
            account_id, attempt.request, token=attempt.confirmation_token, key=str(attempt.pk)
        )
    except NotSent:
        # Stripe went away in this moment: the first call of this attempt was never sent, so nothing can come of it.
        return Settled(close_unexecuted(attempt.pk, State.FAILED, code="not_now", now=now))
    except AnswerUnknown:
        return Settled(mark_unknown(attempt.pk))
    if isinstance(answer, NotExecuted):
        return Settled(close_unexecuted(attempt.pk, State.FAILED, code=answer.code, now=now))
    try:
        applied = apply_intent(tenant_id=context.tenant.id, account_id=account_id, facts=answer, now=now)
    except Exception:
        # Money may have moved and is not written down yet. The payer is told to wait, never shown an error that
        # invites to pay again; webhook and sweeper do what failed here.
        log.exception("a payment could not be written down", extra={"attempt": str(attempt.pk)})
        return Settled(attempt)
    return Settled(applied)
