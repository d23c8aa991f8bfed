"""SetupIntents and mandates: create, confirm, cancel, retrieve, list."""

from __future__ import annotations

from stripe.params import (
    MandateRetrieveParams,
    SetupIntentCancelParams,
    SetupIntentConfirmParams,
    SetupIntentCreateParams,
    SetupIntentListParams,
    SetupIntentRetrieveParams,
)

from infra.stripe_double.double import Call
from infra.stripe_double.errors import Json, invalid, missing, public
from infra.stripe_double.listing import page
from infra.stripe_double.resources.payment_intents import offered_types
from infra.stripe_double.routing import route
from infra.stripe_double.setups import CONFIRMABLE, find_setup_method, run_setup


@route("POST", "/v1/setup_intents", SetupIntentCreateParams)
def create_setup(call: Call) -> Json:
    """Create an intent and, with `confirm`, carry it out at once."""
    params = call.params
    if params.get("customer"):
        call.find("customer", params["customer"], param="customer")
    intent = call.create(
        "setup_intent",
        "seti_1",
        automatic_payment_methods={"enabled": True, "allow_redirects": "always"},
        customer=params.get("customer"),
        description=params.get("description"),
        excluded_payment_method_types=params.get("excluded_payment_method_types"),
        metadata=params.get("metadata") or {},
        payment_method_options={},
        payment_method_types=offered_types(params),
        status="requires_payment_method",
        usage=params.get("usage", "off_session"),
    )
    intent["client_secret"] = call.store.new_id(f"{intent['id']}_secret_", 25)
    del call.book.kind("setup_intent")[intent["id"]]
    found = find_setup_method(call, intent, params) if params.get("confirm") else None
    call.book.kind("setup_intent")[intent["id"]] = intent
    call.emit("setup_intent.created", intent)
    return run_setup(call, intent, *found) if found else intent


@route("GET", "/v1/setup_intents", SetupIntentListParams)
def list_setups(call: Call) -> Json:
    """List intents, newest first."""
    rows = list(call.book.kind("setup_intent").values())
    return page(rows, call.params, url="/v1/setup_intents", equal=("customer",))


@route("GET", "/v1/setup_intents/{intent}", SetupIntentRetrieveParams, publishable=True)
def retrieve_setup(call: Call) -> Json:
    """Return an intent; a browser must know its client secret."""
    intent = call.find("setup_intent", call.path["intent"])
    if call.publishable and call.params.get("client_secret") != intent["client_secret"]:
        raise missing("setupintent", intent["id"], param="intent")
    return intent


@route("POST", "/v1/setup_intents/{intent}/confirm", SetupIntentConfirmParams)
def confirm_setup(call: Call) -> Json:
    """Confirm an intent."""
    intent = call.find("setup_intent", call.path["intent"])
    return run_setup(call, intent, *find_setup_method(call, intent, call.params))


@route("POST", "/v1/setup_intents/{intent}/cancel", SetupIntentCancelParams)
def cancel_setup(call: Call) -> Json:
    """Cancel an intent that has not succeeded."""
    intent = call.find("setup_intent", call.path["intent"])
    if intent["status"] not in CONFIRMABLE:
        message = f"You cannot cancel this SetupIntent because it has a status of {intent['status']}."
        raise invalid(message, code="setup_intent_unexpected_state", setup_intent=public(intent))
    intent.update(status="canceled", cancellation_reason=call.params.get("cancellation_reason"), next_action=None)
    call.emit("setup_intent.canceled", intent)
    return intent


@route("GET", "/v1/mandates/{mandate}", MandateRetrieveParams)
def retrieve_mandate(call: Call) -> Json:
    """Return the authorisation to debit a bank account."""
    return call.find("mandate", call.path["mandate"])
