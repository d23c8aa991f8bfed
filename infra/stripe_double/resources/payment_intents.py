"""PaymentIntents: create, confirm, cancel, capture, retrieve, list, search."""

from __future__ import annotations

import re

from stripe.params import (
    PaymentIntentCancelParams,
    PaymentIntentCaptureParams,
    PaymentIntentConfirmParams,
    PaymentIntentCreateParams,
    PaymentIntentListParams,
    PaymentIntentRetrieveParams,
    PaymentIntentSearchParams,
    PaymentIntentUpdateParams,
)

from infra.stripe_double.double import Call
from infra.stripe_double.errors import Json, invalid, missing, unexpected_state
from infra.stripe_double.ledger import receipt_url
from infra.stripe_double.listing import merge_metadata, page
from infra.stripe_double.methods import resolve_method
from infra.stripe_double.payments import prepare_confirmation, run_confirmation, succeed_intent
from infra.stripe_double.resources.accounts import charges_possible
from infra.stripe_double.routing import route

MINIMUM = {"usd": 50, "cad": 50, "eur": 50, "gbp": 30, "jpy": 50}
MAXIMUM = 99_999_999
OFFERED_TYPES = ("card", "us_bank_account")
CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)
UPDATABLE = (
    "amount",
    "application_fee_amount",
    "customer",
    "description",
    "receipt_email",
    "setup_future_usage",
)


@route("POST", "/v1/payment_intents", PaymentIntentCreateParams)
def create_intent(call: Call) -> Json:
    """Create an intent and, with `confirm`, carry it out at once."""
    params = call.params
    _check_amount(call)
    if params.get("customer"):
        call.find("customer", params["customer"], param="customer")
    if not charges_possible(call.double, call.account):
        raise invalid("Your account cannot currently make charges.", code="account_invalid")
    intent = _draft(call)
    confirmation = prepare_confirmation(call, intent, params) if params.get("confirm") else None
    call.book.kind("payment_intent")[intent["id"]] = intent
    if params.get("payment_method") and not confirmation:
        intent.update(
            payment_method=resolve_method(call, params["payment_method"])["id"],
            status="requires_confirmation",
        )
    call.emit("payment_intent.created", intent)
    return run_confirmation(call, intent, confirmation) if confirmation else intent


def _check_amount(call: Call) -> None:
    amount, currency = call.params["amount"], call.params["currency"].lower()
    minimum = MINIMUM.get(currency, 50)
    if amount <= 0:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, code="parameter_invalid_integer", param="amount")
    if amount < minimum:
        message = f"Amount must be at least {minimum / 100:.2f} {currency}"
        raise invalid(message, code="amount_too_small", param="amount")
    if amount > MAXIMUM:
        message = f"Amount must be no more than 999,999.99 {currency}"
        raise invalid(message, code="amount_too_large", param="amount")
    fee = call.params.get("application_fee_amount")
    if fee is not None and not call.connected:
        raise invalid(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment "
            "(using an OAuth key or Stripe-Account header).",
            param="application_fee_amount",
        )
    if fee is not None and fee > amount:
        message = "Your application_fee_amount must be less than or equal to the amount."
        raise invalid(message, param="application_fee_amount")


def _draft(call: Call) -> Json:
    """Build the intent without keeping it: a refused confirmation must leave nothing behind."""
    params = call.params
    intent = call.create(
        "payment_intent",
        "pi_3",
        amount=params["amount"],
        amount_details={"tip": {}},
        application_fee_amount=params.get("application_fee_amount"),
        automatic_payment_methods={"enabled": True, "allow_redirects": "always"},
        capture_method=params.get("capture_method", "automatic_async"),
        confirmation_method=params.get("confirmation_method", "automatic"),
        currency=params["currency"].lower(),
        customer=params.get("customer"),
        description=params.get("description"),
        excluded_payment_method_types=params.get("excluded_payment_method_types"),
        metadata=params.get("metadata") or {},
        payment_method_options={},
        payment_method_types=offered_types(params),
        receipt_email=params.get("receipt_email"),
        setup_future_usage=params.get("setup_future_usage"),
        statement_descriptor_suffix=params.get("statement_descriptor_suffix"),
        status="requires_payment_method",
    )
    intent["client_secret"] = call.store.new_id(f"{intent['id']}_secret_", 25)
    del call.book.kind("payment_intent")[intent["id"]]
    return intent


def offered_types(params: Json) -> list[str]:
    """Return the types of payment method that a request leaves open.

    Raises StripeError 400 when there is none.
    """
    allowed = params.get("allowed_payment_method_types") or OFFERED_TYPES
    excluded = params.get("excluded_payment_method_types") or ()
    offered = [name for name in OFFERED_TYPES if name in allowed and name not in excluded]
    if not offered:
        message = "No valid payment method types for this PaymentIntent."
        raise invalid(message, code="payment_intent_invalid_parameter")
    return offered


@route("GET", "/v1/payment_intents", PaymentIntentListParams)
def list_intents(call: Call) -> Json:
    """List intents, newest first."""
    rows = list(call.book.kind("payment_intent").values())
    return page(rows, call.params, url="/v1/payment_intents", equal=("customer",))


@route("GET", "/v1/payment_intents/search", PaymentIntentSearchParams)
def search_intents(call: Call) -> Json:
    """Search by metadata, status, customer or currency, with AND only."""
    rows = list(call.book.kind("payment_intent").values())[::-1]
    for clause in re.split(r"\s+AND\s+", call.params["query"].strip(), flags=re.IGNORECASE):
        found = re.fullmatch(r"(?:(status|customer|currency)|metadata\[['\"]([^'\"]+)['\"]\]):['\"](.*)['\"]", clause)
        if not found:
            raise invalid(f"The double cannot search for: {clause}", param="query")
        field, key, value = found.groups()
        rows = [row for row in rows if (row.get(field) if field else row["metadata"].get(key)) == value]
    limit = call.params.get("limit", 10)
    return {
        "object": "search_result",
        "data": rows[:limit],
        "has_more": len(rows) > limit,
        "next_page": None,
        "url": "/v1/payment_intents/search",
    }


@route("GET", "/v1/payment_intents/{intent}", PaymentIntentRetrieveParams, publishable=True)
def retrieve_intent(call: Call) -> Json:
    """Return an intent; a browser must know its client secret."""
    intent = call.find("payment_intent", call.path["intent"])
    _check_client_secret(call, intent)
    return intent


@route("POST", "/v1/payment_intents/{intent}", PaymentIntentUpdateParams)
def update_intent(call: Call) -> Json:
    """Change an intent; its amount only while it is unpaid."""
    intent = call.find("payment_intent", call.path["intent"])
    frozen = {"amount", "currency", "payment_method", "application_fee_amount"} & set(call.params)
    if frozen and intent["status"] in ("succeeded", "canceled", "processing"):
        raise unexpected_state(
            f"This PaymentIntent's {min(frozen)} could not be updated because it has a status of {intent['status']}.",
            intent,
        )
    intent.update({key: call.params[key] for key in UPDATABLE if key in call.params})
    if "metadata" in call.params:
        intent["metadata"] = merge_metadata(intent["metadata"], call.params["metadata"])
    return intent


@route("POST", "/v1/payment_intents/{intent}/confirm", PaymentIntentConfirmParams, publishable=True)
def confirm_intent(call: Call) -> Json:
    """Confirm an intent."""
    intent = call.find("payment_intent", call.path["intent"])
    _check_client_secret(call, intent)
    return run_confirmation(call, intent, prepare_confirmation(call, intent, call.params))


@route("POST", "/v1/payment_intents/{intent}/cancel", PaymentIntentCancelParams)
def cancel_intent(call: Call) -> Json:
    """Cancel an intent that has not been paid."""
    intent = call.find("payment_intent", call.path["intent"])
    if intent["status"] not in CANCELABLE:
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be canceled: {', '.join(CANCELABLE)}.",
            intent,
        )
    call.book.jobs[:] = [job for job in call.book.jobs if job["id"] != intent["id"]]
    intent.update(
        status="canceled",
        canceled_at=call.store.now(),
        cancellation_reason=call.params.get("cancellation_reason"),
        next_action=None,
        amount_capturable=0,
    )
    call.emit("payment_intent.canceled", intent)
    return intent


@route("POST", "/v1/payment_intents/{intent}/capture", PaymentIntentCaptureParams)
def capture_intent(call: Call) -> Json:
    """Take the money of an authorised intent."""
    intent = call.find("payment_intent", call.path["intent"])
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}.", intent
        )
    charge = call.find("charge", intent["latest_charge"])
    charge.update(captured=True, amount_captured=call.params.get("amount_to_capture", intent["amount"]))
    charge["receipt_url"] = receipt_url(call, charge)
    call.emit("charge.captured", charge)
    return succeed_intent(call, intent, call.find("payment_method", intent["payment_method"]), charge)


def _check_client_secret(call: Call, intent: Json) -> None:
    if call.publishable and call.params.get("client_secret") != intent["client_secret"]:
        raise missing("payment_intent", intent["id"], param="intent")
