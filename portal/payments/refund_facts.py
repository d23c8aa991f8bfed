"""Refunds as facts: asked for, made and found at Stripe; no database here."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import stripe

from infra.stripe_client import tenant_stripe
from portal.payments.intents import AnswerUnknown, KeyMisused, NotExecuted

log = logging.getLogger("porchlight.payments")

EXPAND = ["balance_transaction", "failure_balance_transaction"]
PAGE = 100


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of the account's balance; `fee_cents` is what was kept of it, negative when given back."""

    id: str
    amount_cents: int
    fee_cents: int


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """What Stripe says of one refund now; only facts we act on."""

    id: str
    status: str
    amount_cents: int
    currency: str
    intent_id: str
    charge_id: str
    metadata: dict[str, str]
    reason: str
    failure_code: str
    out: Movement | None
    back: Movement | None


def build_refund(
    *, refund_id: UUID, tenant_id: UUID, intent_id: str, amount_cents: int, reason: str, with_fee: bool
) -> dict[str, Any]:
    """Return the parameters of the one create call of a refund. Pure."""
    request: dict[str, Any] = {
        "payment_intent": intent_id,
        "amount": amount_cents,
        "expand": EXPAND,
        "metadata": {"tenant": str(tenant_id), "refund": str(refund_id)},
    }
    if reason in ("requested_by_customer", "duplicate"):
        request["reason"] = reason
    if with_fee:
        # The platform gives its part back in proportion; Stripe computes it.
        request["refund_application_fee"] = True
    return request


def create_refund(account_id: str, request: dict[str, Any], *, key: str) -> RefundFacts | NotExecuted:
    """Refund under `key`, or replay what that key did; raises AnswerUnknown."""
    params: Any = request
    try:
        made = tenant_stripe(account_id).v1.refunds.create(params, {"idempotency_key": key})
    except stripe.IdempotencyError as error:
        if error.http_status == 409:
            raise AnswerUnknown from error
        log.critical("an idempotency key was used with other parameters", extra={"refund": key})
        raise KeyMisused from error
    except stripe.RateLimitError as error:
        raise AnswerUnknown from error
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        log.warning("stripe refused a refund", extra={"refund": key, "code": error.code, "param": error.param})
        return NotExecuted(error.code or "refused")
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.critical("stripe refused our key or the account", extra={"refund": key, "code": error.code})
        return NotExecuted("not_now")
    except stripe.StripeError as error:
        raise AnswerUnknown from error
    return read_refund(made)


def retrieve_refund(account_id: str, refund_id: str) -> RefundFacts:
    """Look at a refund again; raises AnswerUnknown."""
    try:
        return read_refund(tenant_stripe(account_id).v1.refunds.retrieve(refund_id, {"expand": EXPAND}))
    except stripe.StripeError as error:
        raise AnswerUnknown from error


def list_refunds(account_id: str, *, intent_id: str) -> list[RefundFacts]:
    """Return every refund of a payment, oldest first; raises AnswerUnknown."""
    params: Any = {"payment_intent": intent_id, "limit": PAGE, "expand": [f"data.{name}" for name in EXPAND]}
    try:
        found = [read_refund(each) for each in tenant_stripe(account_id).v1.refunds.list(params).auto_paging_iter()]
    except stripe.StripeError as error:
        raise AnswerUnknown from error
    return found[::-1]


def read_refund(refund: Any) -> RefundFacts:
    """Reduce Stripe's object to facts; fields that are absent or not expanded become empty. Pure."""
    raw: dict[str, Any] = refund.to_dict() if hasattr(refund, "to_dict") else dict(refund)
    return RefundFacts(
        id=raw["id"],
        status=raw.get("status") or "pending",
        amount_cents=raw["amount"],
        currency=raw["currency"].upper(),
        intent_id=id_of(raw.get("payment_intent")),
        charge_id=id_of(raw.get("charge")),
        metadata=dict(raw.get("metadata") or {}),
        reason=raw.get("reason") or "",
        failure_code=raw.get("failure_reason") or "",
        out=read_movement(raw.get("balance_transaction")),
        back=read_movement(raw.get("failure_balance_transaction")),
    )


def read_movement(raw: Any) -> Movement | None:
    """Reduce an expanded balance transaction; a mere id says nothing yet. Pure."""
    if not isinstance(raw, dict):
        return None
    return Movement(raw["id"], raw["amount"], raw.get("fee") or 0)


def id_of(value: Any) -> str:
    """Return the id of an object that may be expanded, or nothing. Pure."""
    return str(value["id"] if isinstance(value, dict) else value or "")
