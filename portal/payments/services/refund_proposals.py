"""Refunds above the limit: one person of the office asks, another decides, and only then money moves (PAY-16)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from infra.ids import uuid7
from portal.payments import errors
from portal.payments.models import Refund, RefundProposal
from portal.payments.services.aftermath import lock_payment
from portal.payments.services.refunds import (
    RefundLine,
    RefundOrder,
    line_as_json,
    refuse_refund,
    set_aside,
    settle_refund,
)
from portal.payments.services.settle import find_account
from tenants.audit import Actor, record
from tenants.context import TenantContext
from tenants.outbox import emit

State = RefundProposal.State


@transaction.atomic
def propose_refund(*, payment_id: UUID, order: RefundOrder, by: Actor, now: datetime) -> RefundProposal:
    """Ask for a second person; raises RefundRefused. The same form key is one proposal; nothing is set aside."""
    if by.id is None:
        raise errors.SamePerson
    payment = lock_payment(payment_id)
    known = RefundProposal.objects.filter(form_key=order.form_key).first()
    if known:
        if known.payment_id != payment.pk or known.amount_cents != order.amount_cents:
            raise errors.FormReused
        return known
    refuse_refund(payment, order)
    if payment.refund_proposals.filter(state=State.WAITING).exists():
        raise errors.AlreadyProposed
    proposal = RefundProposal.objects.create(
        id=uuid7(),
        payment=payment,
        amount_cents=order.amount_cents,
        currency=payment.currency,
        lines=[line_as_json(line) for line in order.lines],
        reason=order.reason,
        note=order.note[:300],
        form_key=order.form_key,
        proposed_by=by.id,
        proposed_by_name=by.label[:200],
        created_at=now,
    )
    record("refund.proposed", by=by, now=now, target=proposal, after=_shown(proposal))
    emit("refund.proposed", key=f"proposal:{proposal.pk}", payload={"proposal": str(proposal.pk)}, now=now)
    return proposal


def approve_refund(*, context: TenantContext, proposal_id: UUID, by: Actor, now: datetime) -> Refund:
    """Refund what another person has asked for; raises RefundRefused, and then nothing has changed.

    Must run outside any transaction. However many approve at once, it is one refund.
    """
    account_id = find_account(context)
    with transaction.atomic():
        proposal = _lock_waiting(proposal_id)
        if by.id is None or by.id == proposal.proposed_by:
            raise errors.SamePerson
        payment = lock_payment(proposal.payment_id)
        refund, _ = set_aside(context, account_id, payment, order_of(proposal), by, now)
        _decide(proposal, State.APPROVED, by, now, refund)
    if refund.state != Refund.State.REQUESTED:
        return refund
    return settle_refund(context=context, refund_id=refund.pk, now=now)


@transaction.atomic
def decline_refund(*, proposal_id: UUID, by: Actor, now: datetime) -> RefundProposal:
    """End a proposal without a refund; whoever made it withdraws it. Raises AlreadyDecided."""
    proposal = _lock_waiting(proposal_id)
    if by.id is None:
        raise errors.SamePerson
    _decide(proposal, State.WITHDRAWN if by.id == proposal.proposed_by else State.DECLINED, by, now, None)
    return proposal


def _lock_waiting(proposal_id: UUID) -> RefundProposal:
    """Lock customer, invoices and payment, then the proposal, in the order of everything about money."""
    lock_payment(RefundProposal.objects.values_list("payment_id", flat=True).get(pk=proposal_id))
    proposal = RefundProposal.objects.select_for_update().get(pk=proposal_id)
    if proposal.state != State.WAITING:
        raise errors.AlreadyDecided
    return proposal


def _decide(proposal: RefundProposal, state: State, by: Actor, now: datetime, refund: Refund | None) -> None:
    changed = RefundProposal.objects.filter(pk=proposal.pk, state=State.WAITING).update(
        state=state, decided_by=by.id, decided_at=now, refund=refund
    )
    if not changed:
        raise errors.AlreadyDecided
    record(f"refund.{state}", by=by, now=now, target=proposal, before={"state": "waiting"}, after=_shown(proposal))
    proposal.refresh_from_db()


def order_of(proposal: RefundProposal) -> RefundOrder:
    """Return what was asked for; its key makes one refund of it."""
    lines = tuple(
        RefundLine(
            UUID(line["invoice"]) if line["invoice"] else None,
            line["amount_cents"],
            keeps_paid=line["effect"] == "keep" and line["invoice"] is not None,
        )
        for line in proposal.lines
    )
    return RefundOrder(proposal.form_key, lines, proposal.reason, proposal.note)


def waiting_proposal(payment_id: UUID) -> RefundProposal | None:
    """Return what waits for a second person of one payment."""
    return RefundProposal.objects.filter(payment_id=payment_id, state=State.WAITING).first()


def _shown(proposal: RefundProposal) -> dict[str, Any]:
    return {
        "payment": str(proposal.payment_id),
        "amount_cents": proposal.amount_cents,
        "reason": proposal.reason,
        "lines": proposal.lines,
        "proposed_by": str(proposal.proposed_by),
    }
