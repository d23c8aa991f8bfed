"""Gives money back: set aside under lock, call Stripe without a transaction, apply (F19…F21, PAY-12, PAY-16)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from infra.ids import uuid7
from portal.payments import deposits, errors, movements, refund_facts
from portal.payments.intents import AnswerUnknown, NotExecuted, hash_request
from portal.payments.models import Payment, Refund
from portal.payments.refund_facts import RefundFacts
from portal.payments.services.aftermath import lock_payment, set_status
from portal.payments.services.disputes import look_at_disputes
from portal.payments.services.refund_posting import apply_refund, give_up, take_out
from portal.payments.services.settle import account_of, find_account, settle_intent
from tenants.audit import Actor, record
from tenants.config.registry import REFUND_SECOND_PERSON, REFUND_SECOND_PERSON_ABOVE
from tenants.config.snapshot import Snapshot
from tenants.context import TenantContext
from tenants.outbox import emit

log = logging.getLogger("porchlight.payments")
State = Refund.State
# Stripe forgets a key after a day at the earliest (PAY-06).
KEY_LIVES = timedelta(hours=23)
IN_THE_AIR = timedelta(seconds=60)
# What Stripe answers when it knows of something that we have not seen yet.
LOOK_AGAIN = ("charge_already_refunded", "charge_disputed", "refused")


@dataclass(frozen=True, slots=True)
class RefundLine:
    """The part of a refund that comes out of one invoice, or (None) out of credit and deposit."""

    invoice_id: UUID | None
    amount_cents: int
    keeps_paid: bool = False


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What the office decided on the confirmation page."""

    form_key: UUID
    lines: tuple[RefundLine, ...]
    reason: str
    note: str = ""

    @property
    def amount_cents(self) -> int:
        """Return the sum of the lines."""
        return sum(line.amount_cents for line in self.lines)


def refundable_lines(payment: Payment) -> list[RefundLine]:
    """Return what can be refunded out of each invoice and of credit, less what is set aside already."""
    aside: dict[str | None, int] = {}
    for refund in payment.refunds.filter(state=State.REQUESTED):
        for line in refund.lines:
            aside[line["invoice"]] = aside.get(line["invoice"], 0) + line["amount_cents"]
    lines = [
        RefundLine(invoice, cents - aside.get(str(invoice), 0)) for invoice, cents in movements.held_by(payment).items()
    ]
    free = movements.credit_of(payment) + deposits.deposit_of(payment)
    lines.append(RefundLine(None, free - aside.get(None, 0)))
    return [line for line in lines if line.amount_cents > 0]


def request_refund(*, context: TenantContext, payment_id: UUID, order: RefundOrder, by: Actor, now: datetime) -> Refund:
    """Refund a payment in whole or in part; raises RefundRefused before any money moved.

    What is above the company's limit raises SecondPersonNeeded: see refund_proposals (PAY-16).

    Must run outside any transaction. The same form key, however often and however parallel, is one refund.
    """
    refund, is_new = _decide_alone(context, find_account(context), payment_id, order, by, now)
    if not is_new or refund.state != State.REQUESTED:
        return refund
    return settle_refund(context=context, refund_id=refund.pk, now=now)


@transaction.atomic
def _decide_alone(
    context: TenantContext, account_id: str, payment_id: UUID, order: RefundOrder, by: Actor, now: datetime
) -> tuple[Refund, bool]:
    payment = lock_payment(payment_id)
    if not Refund.objects.filter(form_key=order.form_key).exists():
        refuse_refund(payment, order)
        if needs_second_person(context.settings, payment, order.amount_cents):
            raise errors.SecondPersonNeeded(context.settings.get(REFUND_SECOND_PERSON_ABOVE))
    return set_aside(context, account_id, payment, order, by, now)


def needs_second_person(settings: Snapshot, payment: Payment, amount_cents: int) -> bool:
    """Whether so much is not given back by one person alone; earlier refunds of the payment count with it (PAY-16)."""
    if not settings.get(REFUND_SECOND_PERSON):
        return False
    alone = payment.refunds.filter(origin=Refund.Origin.OFFICE, proposal=None).exclude(state__in=Refund.ENDED)
    before = int(alone.aggregate(total=Sum("amount_cents"))["total"] or 0)
    return before + amount_cents > settings.get(REFUND_SECOND_PERSON_ABOVE)


def set_aside(
    context: TenantContext, account_id: str, payment: Payment, order: RefundOrder, by: Actor, now: datetime
) -> tuple[Refund, bool]:
    """Set the money aside on a locked payment; return the refund and whether it is new; raises RefundRefused.

    `account_id` is where the money is asked back, should Stripe hold it.
    """
    known = Refund.objects.filter(form_key=order.form_key).first()
    if known:
        if known.payment_id != payment.pk or known.amount_cents != order.amount_cents:
            raise errors.FormReused
        return known, False
    refuse_refund(payment, order)
    refund = Refund(
        id=uuid7(),
        payment=payment,
        amount_cents=order.amount_cents,
        currency=payment.currency,
        origin=Refund.Origin.OFFICE,
        reason=order.reason,
        note=order.note[:300],
        lines=[line_as_json(line) for line in order.lines],
        form_key=order.form_key,
        created_by=by.id,
        created_at=now,
    )
    Payment.objects.filter(pk=payment.pk).update(refunded_cents=F("refunded_cents") + refund.amount_cents)
    if payment.stripe_pi_id:
        refund.request = refund_facts.build_refund(
            refund_id=refund.pk,
            tenant_id=context.tenant.id,
            intent_id=payment.stripe_pi_id,
            amount_cents=refund.amount_cents,
            reason=refund.reason,
            with_fee=bool(payment.attempt and payment.attempt.request.get("application_fee_amount")),
        )
        refund.request_hash = hash_request(account_id, refund.request, "")
        refund.save()
    else:
        # Money that never was with Stripe is handed back by hand; that it was is what the office says here.
        refund.state, refund.closed_at = State.SUCCEEDED, now
        refund.save()
        take_out(refund, payment, str(refund.pk), now)
        set_status(payment)
        emit("refund.made", key=f"refund:{refund.pk}", payload={"refund": str(refund.pk)}, now=now)
    record(
        "refund.requested",
        by=by,
        now=now,
        target=refund,
        after={"amount_cents": refund.amount_cents, "reason": refund.reason, "lines": refund.lines},
    )
    return refund, True


def line_as_json(line: RefundLine) -> dict[str, Any]:
    """Return a line as it is kept."""
    return {
        "invoice": str(line.invoice_id) if line.invoice_id else None,
        "amount_cents": line.amount_cents,
        "effect": "keep" if line.keeps_paid else "reopen",
    }


def refuse_refund(payment: Payment, order: RefundOrder) -> None:
    """Raise RefundRefused for what cannot be refunded now (F19, PAY-16)."""
    if not payment.received_cents:
        raise errors.NothingToRefund
    if any(dispute.blocks_refund for dispute in payment.disputes.all()):
        raise errors.PaymentDisputed
    room = {line.invoice_id: line.amount_cents for line in refundable_lines(payment)}
    targets = [line.invoice_id for line in order.lines]
    if not order.lines or len(set(targets)) != len(targets):
        raise errors.NothingToRefund
    left = payment.received_cents - payment.refunded_cents - payment.disputed_out_cents
    beyond = any(not 0 < line.amount_cents <= room.get(line.invoice_id, 0) for line in order.lines)
    if beyond or order.amount_cents > left:
        raise errors.RefundTooLarge(max(0, min(left, sum(room.values()))))


def settle_refund(*, context: TenantContext, refund_id: UUID, now: datetime) -> Refund:
    """Make a refund, or find out what became of it, and apply it; safe to repeat, in parallel too (F1, F2, F4).

    Must run outside any transaction.
    """
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.state not in Refund.OPEN:
        return refund
    account_id = account_of(context)
    try:
        found = _find_out(refund, account_id, now)
    except AnswerUnknown as error:
        log.warning("a refund is in doubt", extra={"refund": str(refund_id), "error": repr(error.__cause__)})
        return refund
    if isinstance(found, NotExecuted):
        with transaction.atomic():
            lock_payment(refund.payment_id)
            give_up(Refund.objects.select_for_update().get(pk=refund_id), found.code, now)
        if found.code in LOOK_AGAIN:
            _look_again(context, refund.payment.stripe_pi_id or "", now)
        refund.refresh_from_db()
        return refund
    if found is None:
        return refund
    return apply_refund(tenant_id=context.tenant.id, account_id=account_id, facts=found, now=now)


def _look_again(context: TenantContext, intent_id: str, now: datetime) -> None:
    """Learn why Stripe refused; what cannot be learnt now is told by a webhook or the event list."""
    try:
        adopt_refunds(context=context, intent_id=intent_id, now=now)
        look_at_disputes(context=context, intent_id=intent_id, now=now)
    except AnswerUnknown as error:
        log.warning("a refused refund was not looked into", extra={"error": repr(error.__cause__)})


def _find_out(refund: Refund, account_id: str, now: datetime) -> RefundFacts | NotExecuted | None:
    """Return what Stripe knows of the refund, asking for it once more under the same key; raises AnswerUnknown."""
    if refund.stripe_refund_id:
        return refund_facts.retrieve_refund(account_id, refund.stripe_refund_id)
    answer: NotExecuted | None = None
    if now - refund.created_at < KEY_LIVES:
        if hash_request(account_id, refund.request, "") != refund.request_hash:
            log.critical("a refund's request has changed; it is not repeated", extra={"refund": str(refund.pk)})
            return None
        try:
            made = refund_facts.create_refund(account_id, refund.request, key=str(refund.pk))
        except AnswerUnknown as error:
            log.info("repeating a refund brought no answer", extra={"error": repr(error.__cause__)})
        else:
            if isinstance(made, RefundFacts):
                return made
            answer = made
    # A saved error is replayed for ever, and an old key is forgotten: then only looking helps (F4, PAY-06).
    intent_id = refund.payment.stripe_pi_id or ""
    for facts in refund_facts.list_refunds(account_id, intent_id=intent_id):
        if facts.metadata.get("refund") == str(refund.pk):
            return facts
    if answer is None and now - refund.created_at >= KEY_LIVES:
        return NotExecuted("never_made")
    return answer


def adopt_refunds(*, context: TenantContext, intent_id: str, now: datetime) -> int:
    """Look at every refund of a payment and apply it; raises AnswerUnknown, UnknownIntent. Returns how many (F21)."""
    account_id = account_of(context)
    found = refund_facts.list_refunds(account_id, intent_id=intent_id)
    for facts in found:
        _apply(context, account_id, facts, now)
    return len(found)


def look_at_refund(*, context: TenantContext, account_id: str, refund_id: str, now: datetime) -> Refund:
    """Look at a refund that an event named and apply it; raises AnswerUnknown, UnknownIntent, IntentDisagrees."""
    return _apply(context, account_id, refund_facts.retrieve_refund(account_id, refund_id), now)


def _apply(context: TenantContext, account_id: str, facts: RefundFacts, now: datetime) -> Refund:
    try:
        return apply_refund(tenant_id=context.tenant.id, account_id=account_id, facts=facts, now=now)
    except errors.UnknownIntent:
        # Nobody has told us of the payment yet: look at it first.
        settle_intent(context=context, account_id=account_id, intent_id=facts.intent_id, now=now)
        return apply_refund(tenant_id=context.tenant.id, account_id=account_id, facts=facts, now=now)


def has_open_refunds() -> bool:
    """Whether the tenant in scope waits for a refund; one index probe."""
    return Refund.objects.filter(state__in=Refund.OPEN).exists()


def resume_refunds(*, context: TenantContext, now: datetime) -> int:
    """Look at every refund that is neither made nor failed and not just under way; return how many (F2, F11)."""
    waiting: Sequence[Refund] = list(Refund.objects.filter(state__in=Refund.OPEN).order_by("created_at"))
    done = 0
    for refund in waiting:
        if now - refund.created_at < IN_THE_AIR:
            continue
        try:
            settle_refund(context=context, refund_id=refund.pk, now=now)
            done += 1
        except Exception:
            # One refund that cannot be settled must not keep the others waiting.
            log.exception("a refund could not be settled", extra={"refund": str(refund.pk)})
    return done
