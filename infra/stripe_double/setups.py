"""The SetupIntent state machine: keeping a card or a bank account for later without charging it."""

from __future__ import annotations

from infra.stripe_double.double import Scope
from infra.stripe_double.errors import Json, StripeError, invalid, public
from infra.stripe_double.instruments import DECLINES
from infra.stripe_double.ledger import DAY
from infra.stripe_double.methods import attach_method, resolve_method
from infra.stripe_double.payments import AUTHENTICATION_FAILED, asks_bank

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def find_setup_method(scope: Scope, intent: Json, params: Json) -> tuple[Json, Json | None]:
    """Return the method to set up and the token it came by.

    Raises StripeError 400/404 for a state, token or method that cannot be used.
    """
    if intent["status"] not in CONFIRMABLE:
        message = f"You cannot confirm this SetupIntent because it has a status of {intent['status']}."
        raise invalid(message, code="setup_intent_unexpected_state", setup_intent=public(intent))
    token = None
    if params.get("confirmation_token"):
        token = scope.find("confirmation_token", params["confirmation_token"], param="confirmation_token")
        if token["_used"] or token["expires_at"] <= scope.store.now():
            raise invalid(
                "This ConfirmationToken has already been used or has expired.",
                code="setup_intent_unexpected_state",
                param="confirmation_token",
            )
        method = scope.find("payment_method", token["_payment_method"])
    elif params.get("payment_method"):
        method = resolve_method(scope, params["payment_method"])
    else:
        raise invalid("You cannot confirm this SetupIntent because it's missing a payment method.")
    if method["type"] not in intent["payment_method_types"]:
        message = f"The PaymentMethod provided ({method['type']}) is not allowed for this SetupIntent."
        raise invalid(message, param="payment_method")
    if method["type"] == "us_bank_account" and not (token or params.get("mandate_data")):
        message = "You must provide mandate_data to set up a us_bank_account."
        raise invalid(message, code="parameter_missing", param="mandate_data")
    return method, token


def run_setup(scope: Scope, intent: Json, method: Json, token: Json | None) -> Json:
    """Carry out a checked confirmation.

    Raises StripeError 402 (executed) when the card is declined.
    """
    if token:
        token.update(_used=True, setup_intent=intent["id"])
    intent.update(payment_method=method["id"], last_setup_error=None, next_action=None)
    behaviour, _, detail = method["_behaviour"].partition(":")
    if behaviour == "decline":
        code, message = DECLINES[detail]
        raise _fail(scope, intent, method, code, detail, message)
    if asks_bank(method, behaviour):
        url = f"{scope.double.element_url}/authenticate/{scope.account}/{intent['id']}"
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url}}
        intent.update(status="requires_action", next_action=action)
        scope.emit("setup_intent.requires_action", intent)
        return intent
    if behaviour == "microdeposits":
        _wait_for_deposits(scope, intent)
        return intent
    return _succeed(scope, intent, method)


def _wait_for_deposits(scope: Scope, intent: Json) -> None:
    action = {
        "type": "verify_with_microdeposits",
        "verify_with_microdeposits": {
            "arrival_date": scope.store.now() + 2 * DAY,
            "hosted_verification_url": f"{scope.double.base_url}/pages/verify/{scope.account}/{intent['id']}",
            "microdeposit_type": "amounts",
        },
    }
    intent.update(status="requires_action", next_action=action)
    scope.emit("setup_intent.requires_action", intent)


def verify_bank(scope: Scope, intent: Json) -> None:
    """Apply the right amounts of the two deposits; a second time changes nothing."""
    if intent["status"] == "requires_action":
        method = scope.find("payment_method", intent["payment_method"])
        method["_behaviour"] = "ok"
        _succeed(scope, intent, method)


def finish_setup_authentication(scope: Scope, intent: Json, *, passed: bool) -> None:
    """Apply the payer's answer on the bank's page; a second answer changes nothing."""
    if intent["status"] != "requires_action":
        return
    method = scope.find("payment_method", intent["payment_method"])
    if passed:
        method["_authenticated"] = True
        intent["next_action"] = None
        _succeed(scope, intent, method)
        return
    error = {
        "type": "card_error",
        "code": "setup_intent_authentication_failure",
        "message": AUTHENTICATION_FAILED,
        "payment_method": public(method),
    }
    intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error)
    scope.emit("setup_intent.setup_failed", intent)


def _succeed(scope: Scope, intent: Json, method: Json) -> Json:
    intent.update(status="succeeded", next_action=None)
    if method["type"] == "us_bank_account":
        method["_mandated"] = True
        method["_mandate_ended"] = False
        intent["mandate"] = new_mandate(scope, method)["id"]
    if intent["customer"]:
        attach_method(scope, method, intent["customer"])
    scope.emit("setup_intent.succeeded", intent)
    return intent


def new_mandate(scope: Scope, method: Json) -> Json:
    """Keep the payer's authorisation to debit a bank account."""
    return scope.create(
        "mandate",
        "mandate_1",
        payment_method=method["id"],
        payment_method_details={"type": method["type"], method["type"]: {}},
        status="active",
        type="multi_use",
        multi_use={},
        customer_acceptance={"type": "online", "accepted_at": scope.store.now(), "online": None, "offline": None},
    )


def _fail(scope: Scope, intent: Json, method: Json, code: str, decline_code: str, message: str) -> StripeError:
    error = {
        "type": "card_error",
        "code": code,
        "message": message,
        "decline_code": decline_code,
        "payment_method": public(method),
    }
    intent.update(status="requires_payment_method", payment_method=None, last_setup_error=error)
    scope.emit("setup_intent.setup_failed", intent)
    return StripeError(
        402,
        "card_error",
        message,
        code=code,
        executed=True,
        decline_code=decline_code,
        setup_intent=public(intent),
        payment_method=public(method),
    )
