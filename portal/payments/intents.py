"""PaymentIntents as facts: asked for, created, found and canceled at Stripe; no database here."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import stripe

from infra.stripe_client import StripeAway, tenant_stripe

log = logging.getLogger("porchlight.payments")

EXPAND = ["latest_charge.balance_transaction"]
LOOK_BACK = timedelta(minutes=5)
PAGE = 100


@dataclass(frozen=True, slots=True)
class IntentFacts:
    """What Stripe says of one PaymentIntent now; only facts we act on."""

    id: str
    status: str
    amount_cents: int
    received_cents: int
    currency: str
    metadata: dict[str, str]
    charge_id: str = ""
    balance_txn: str = ""
    stripe_fee_cents: int = 0
    method: dict[str, str] = field(default_factory=dict)
    failure_code: str = ""
    decline_code: str = ""
    saved_method: str = ""
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NotExecuted:
    """Stripe refused the call itself: no intent was made and no money moved."""

    code: str


class AnswerUnknown(Exception):
    """There was no answer, or one that proves nothing: the payment may exist (F1, F3, F4)."""


class NotSent(AnswerUnknown):
    """Stripe was not even asked: whatever an earlier call did, this one did nothing (F23)."""


class KeyMisused(AnswerUnknown):
    """The idempotency key was first used with other parameters: a fault of ours, never answered by a new key (F7)."""


def build_request(
    *,
    attempt_id: UUID,
    tenant_id: UUID,
    plan_hash: str,
    amount_cents: int,
    currency: str,
    customer: str,
    application_fee_cents: int,
    return_url: str,
    description: str,
    way: dict[str, Any],
) -> dict[str, Any]:
    """Return the parameters of the one create call of an attempt, without its token; `way` says how. Pure."""
    request: dict[str, Any] = {
        "amount": amount_cents,
        "currency": currency.lower(),
        "confirm": True,
        "customer": customer,
        "description": description,
        "expand": EXPAND,
        "metadata": {"tenant": str(tenant_id), "attempt": str(attempt_id), "plan_hash": plan_hash},
        "return_url": return_url,
        "use_stripe_sdk": True,
        **way,
    }
    if application_fee_cents:
        request["application_fee_amount"] = application_fee_cents
    return request


def hash_request(account_id: str, request: dict[str, Any], token: str) -> str:
    """Return the digest by which a repeated call is known to be the same (PAY-05). Pure."""
    text = json.dumps([account_id, request, token], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def hash_plan(plan: list[dict[str, Any]]) -> str:
    """Return the digest of a plan; it travels in the intent's metadata. Pure."""
    return hashlib.sha256(json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def create_intent(account_id: str, request: dict[str, Any], *, token: str, key: str) -> IntentFacts | NotExecuted:
    """Create and confirm under `key`, or replay what that key did; raises AnswerUnknown."""
    params: Any = {**request, "confirmation_token": token} if token else request
    try:
        intent = tenant_stripe(account_id).v1.payment_intents.create(params, {"idempotency_key": key})
    except StripeAway as error:
        raise NotSent from error
    except stripe.CardError as error:
        return _declined(error)
    except stripe.IdempotencyError as error:
        if error.http_status == 409:  # the same key is being worked on at this moment
            raise AnswerUnknown from error
        log.critical("an idempotency key was used with other parameters", extra={"attempt": key})
        raise KeyMisused from error
    except stripe.RateLimitError as error:
        # Of the SDK's tries an earlier one may have been carried out.
        raise AnswerUnknown from error
    except stripe.InvalidRequestError as error:
        log.error("stripe refused a payment", extra={"attempt": key, "code": error.code, "param": error.param})
        return NotExecuted("form_expired" if error.param == "confirmation_token" else "not_now")
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.critical("stripe refused our key or the account", extra={"attempt": key, "code": error.code})
        return NotExecuted("not_now")
    except stripe.StripeError as error:
        raise AnswerUnknown from error
    return read_intent(intent)


def _declined(error: stripe.CardError) -> IntentFacts | NotExecuted:
    found = error.error.payment_intent if error.error else None
    if found is None:
        return NotExecuted(error.code or "card_declined")
    return read_intent(found, error)


def retrieve_intent(account_id: str, intent_id: str) -> IntentFacts:
    """Look at an intent again; raises AnswerUnknown."""
    try:
        return read_intent(tenant_stripe(account_id).v1.payment_intents.retrieve(intent_id, {"expand": EXPAND}))
    except stripe.StripeError as error:
        raise AnswerUnknown from error


def find_intent(account_id: str, *, customer: str, attempt_id: UUID, since: datetime) -> IntentFacts | None:
    """Look for the intent of an attempt among the customer's; None proves absence; raises AnswerUnknown.

    A list, not a search: Stripe's search lags behind by up to a minute and so cannot prove absence (F4, F-53).
    """
    params: Any = {
        "customer": customer,
        "created": {"gte": int((since - LOOK_BACK).timestamp())},
        "limit": PAGE,
    }
    try:
        client = tenant_stripe(account_id)
        for intent in client.v1.payment_intents.list(params).auto_paging_iter():
            if intent.metadata and intent.metadata.to_dict().get("attempt") == str(attempt_id):
                return retrieve_intent(account_id, intent.id)
    except stripe.StripeError as error:
        raise AnswerUnknown from error
    return None


def cancel_intent(account_id: str, intent_id: str) -> IntentFacts:
    """End an unpaid intent, or return what it has become meanwhile; raises AnswerUnknown."""
    try:
        tenant_stripe(account_id).v1.payment_intents.cancel(intent_id)
    except stripe.InvalidRequestError:
        # It can no longer be canceled, most likely because it was paid in this moment.
        log.info("intent could not be canceled", extra={"intent": intent_id})
    except stripe.StripeError as error:
        raise AnswerUnknown from error
    return retrieve_intent(account_id, intent_id)


def read_intent(intent: Any, error: stripe.CardError | None = None) -> IntentFacts:
    """Reduce Stripe's object to facts; fields that are absent or not expanded become empty. Pure."""
    raw: dict[str, Any] = intent.to_dict() if hasattr(intent, "to_dict") else dict(intent)
    charge = raw.get("latest_charge")
    charge = charge if isinstance(charge, dict) else {"id": charge or ""}
    txn = charge.get("balance_transaction")
    txn = txn if isinstance(txn, dict) else {}
    problem = raw.get("last_payment_error") or {}
    return IntentFacts(
        id=raw["id"],
        status=raw["status"],
        amount_cents=raw["amount"],
        received_cents=raw.get("amount_received") or 0,
        currency=raw["currency"].upper(),
        metadata=dict(raw.get("metadata") or {}),
        charge_id=charge.get("id") or "",
        balance_txn=txn.get("id") or "",
        stripe_fee_cents=txn.get("fee") or 0,
        method=_read_method(charge.get("payment_method_details") or {}),
        failure_code=(error.code if error else problem.get("code")) or "",
        decline_code=(error.error.decline_code if error and error.error else problem.get("decline_code")) or "",
        saved_method=_id_of(raw.get("payment_method")) if raw.get("setup_future_usage") else "",
        client_secret=raw.get("client_secret") or "",
    )


def _id_of(value: Any) -> str:
    return str(value.get("id", "")) if isinstance(value, dict) else str(value or "")


def _read_method(details: dict[str, Any]) -> dict[str, str]:
    kind = details.get("type") or ""
    about = details.get(kind) or {}
    shown = {"kind": kind, "brand": about.get("brand") or "", "last4": about.get("last4") or ""}
    return {name: value for name, value in shown.items() if value}
