"""SetupIntents and payment methods as facts: asked for, looked at and detached at Stripe; no database here."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import stripe

from infra.stripe_client import StripeAway, tenant_stripe
from portal.payments.intents import AnswerUnknown, KeyMisused, NotExecuted, NotSent

log = logging.getLogger("porchlight.methods")
EXPAND = ["payment_method"]


@dataclass(frozen=True, slots=True)
class MethodFacts:
    """What Stripe says of one payment method now; `customer` is empty once it is detached."""

    id: str
    customer: str
    kind: str
    brand: str = ""
    last4: str = ""
    fingerprint: str = ""
    exp_month: int | None = None
    exp_year: int | None = None


@dataclass(frozen=True, slots=True)
class SetupFacts:
    """What Stripe says of one SetupIntent now."""

    id: str
    status: str
    row_id: str
    method: MethodFacts | None
    verify_url: str = ""
    failure_code: str = ""
    decline_code: str = ""
    client_secret: str = field(default="", repr=False)


def build_setup(
    *, row_id: UUID, tenant_id: UUID, customer: str, token: str, return_url: str, excluded: list[str]
) -> dict[str, Any]:
    """Return the call that keeps a method for later, to the letter. Pure."""
    request: dict[str, Any] = {
        "confirm": True,
        "confirmation_token": token,
        "customer": customer,
        "expand": EXPAND,
        "metadata": {"tenant": str(tenant_id), "method": str(row_id)},
        "return_url": return_url,
        "usage": "off_session",
        "use_stripe_sdk": True,
    }
    if excluded:
        request["excluded_payment_method_types"] = excluded
    return request


def create_setup(account_id: str, request: dict[str, Any], *, key: str) -> SetupFacts | NotExecuted:
    """Create and confirm under `key`, or replay what that key did; raises AnswerUnknown."""
    params: Any = request
    try:
        intent = tenant_stripe(account_id).v1.setup_intents.create(params, {"idempotency_key": key})
    except StripeAway as error:
        raise NotSent from error
    except stripe.CardError as error:
        found = getattr(error.error, "setup_intent", None) if error.error else None
        return read_setup(found, error) if found is not None else NotExecuted(error.code or "card_declined")
    except stripe.IdempotencyError as error:
        if error.http_status == 409:  # the same key is being worked on at this moment
            raise AnswerUnknown from error
        log.critical("an idempotency key was used with other parameters", extra={"method": key})
        raise KeyMisused from error
    except stripe.RateLimitError as error:
        raise AnswerUnknown from error
    except stripe.InvalidRequestError as error:
        log.error("stripe refused a setup", extra={"method": key, "code": error.code, "param": error.param})
        return NotExecuted("form_expired" if error.param == "confirmation_token" else "not_now")
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.critical("stripe refused our key or the account", extra={"method": key, "code": error.code})
        return NotExecuted("not_now")
    except stripe.StripeError as error:
        raise AnswerUnknown from error
    return read_setup(intent)


def retrieve_setup(account_id: str, intent_id: str) -> SetupFacts:
    """Look at a SetupIntent again; raises AnswerUnknown."""
    try:
        return read_setup(tenant_stripe(account_id).v1.setup_intents.retrieve(intent_id, {"expand": EXPAND}))
    except stripe.StripeError as error:
        raise AnswerUnknown from error


def cancel_setup(account_id: str, intent_id: str) -> SetupFacts:
    """End a SetupIntent that nobody finishes, or return what it has become meanwhile; raises AnswerUnknown."""
    try:
        tenant_stripe(account_id).v1.setup_intents.cancel(intent_id)
    except stripe.InvalidRequestError:
        log.info("setup could not be canceled", extra={"setup": intent_id})
    except stripe.StripeError as error:
        raise AnswerUnknown from error
    return retrieve_setup(account_id, intent_id)


def retrieve_method(account_id: str, method_id: str) -> MethodFacts | None:
    """Look at a payment method; None when the account has no such; raises AnswerUnknown."""
    try:
        return read_method(tenant_stripe(account_id).v1.payment_methods.retrieve(method_id))
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            return None
        raise AnswerUnknown from error
    except stripe.StripeError as error:
        raise AnswerUnknown from error


def detach_method(account_id: str, method_id: str) -> None:
    """Take a method off its customer for good; raises AnswerUnknown."""
    try:
        tenant_stripe(account_id).v1.payment_methods.detach(method_id)
    except stripe.InvalidRequestError:
        log.info("a method was detached already", extra={"method": method_id})
    except stripe.StripeError as error:
        raise AnswerUnknown from error


def read_setup(intent: Any, error: stripe.CardError | None = None) -> SetupFacts:
    """Reduce Stripe's object to facts. Pure."""
    raw: dict[str, Any] = intent.to_dict() if hasattr(intent, "to_dict") else dict(intent)
    problem = raw.get("last_setup_error") or {}
    deposits = (raw.get("next_action") or {}).get("verify_with_microdeposits") or {}
    method = raw.get("payment_method")
    return SetupFacts(
        id=raw["id"],
        status=raw["status"],
        row_id=(raw.get("metadata") or {}).get("method", ""),
        method=read_method(method) if isinstance(method, dict) else None,
        verify_url=deposits.get("hosted_verification_url") or "",
        failure_code=(error.code if error else problem.get("code")) or "",
        decline_code=(error.error.decline_code if error and error.error else problem.get("decline_code")) or "",
        client_secret=raw.get("client_secret") or "",
    )


def read_method(method: Any) -> MethodFacts:
    """Reduce Stripe's object to facts; a number was never part of it (PAY-01). Pure."""
    raw: dict[str, Any] = method.to_dict() if hasattr(method, "to_dict") else dict(method)
    kind = raw["type"]
    about = raw.get(kind) or {}
    return MethodFacts(
        id=raw["id"],
        customer=_id_of(raw.get("customer")),
        kind=kind,
        brand=about.get("brand") or about.get("bank_name") or "",
        last4=about.get("last4") or "",
        fingerprint=about.get("fingerprint") or "",
        exp_month=about.get("exp_month"),
        exp_year=about.get("exp_year"),
    )


def _id_of(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("id", ""))
    return str(value or "")
