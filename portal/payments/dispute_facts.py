"""Disputes as facts, asked of Stripe; no database here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe

from infra.stripe_client import tenant_stripe
from portal.payments.intents import AnswerUnknown
from portal.payments.refund_facts import Movement, id_of, read_movement

PAGE = 100


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """What Stripe says of one dispute now; `movements` are all it has done to the balance so far."""

    id: str
    status: str
    reason: str
    amount_cents: int
    currency: str
    intent_id: str
    due_by: datetime | None
    opened_at: datetime
    movements: tuple[Movement, ...]


def retrieve_dispute(account_id: str, dispute_id: str) -> DisputeFacts:
    """Look at a dispute again; raises AnswerUnknown."""
    try:
        return read_dispute(tenant_stripe(account_id).v1.disputes.retrieve(dispute_id))
    except stripe.StripeError as error:
        raise AnswerUnknown from error


def list_disputes(account_id: str, *, intent_id: str) -> list[str]:
    """Return the ids of a payment's disputes; raises AnswerUnknown."""
    params: Any = {"payment_intent": intent_id, "limit": PAGE}
    try:
        return [found.id for found in tenant_stripe(account_id).v1.disputes.list(params).auto_paging_iter()]
    except stripe.StripeError as error:
        raise AnswerUnknown from error


def read_dispute(dispute: Any) -> DisputeFacts:
    """Reduce Stripe's object to facts. Pure."""
    raw: dict[str, Any] = dispute.to_dict() if hasattr(dispute, "to_dict") else dict(dispute)
    due_by = (raw.get("evidence_details") or {}).get("due_by")
    found = (read_movement(txn) for txn in raw.get("balance_transactions") or [])
    return DisputeFacts(
        id=raw["id"],
        status=raw["status"],
        reason=raw.get("reason") or "",
        amount_cents=raw["amount"],
        currency=raw["currency"].upper(),
        intent_id=id_of(raw.get("payment_intent")),
        due_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
        opened_at=datetime.fromtimestamp(raw["created"], UTC),
        movements=tuple(movement for movement in found if movement),
    )
