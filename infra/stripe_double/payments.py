"""The PaymentIntent state machine: confirming, authenticating, failing, succeeding."""

from __future__ import annotations

from dataclasses import dataclass

from infra.stripe_double.disputes import INQUIRY, open_dispute
from infra.stripe_double.double import Scope
from infra.stripe_double.errors import Json, StripeError, invalid, public, unexpected_state
from infra.stripe_double.instruments import DECLINES
from infra.stripe_double.ledger import DAY, new_charge, settle_charge
from infra.stripe_double.methods import attach_method, method_from_data, resolve_method

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)
MANDATE_ENDED = "The mandate of this bank account is no longer active."
NEEDS_AUTHENTICATION = "Your card was declined. This transaction requires authentication."


@dataclass(frozen=True)
class Confirmation:
    """How one confirmation is to be carried out."""

    method: Json
    token: Json | None = None
    off_session: bool = False
    error_on_requires_action: bool = False
    use_stripe_sdk: bool = False
    return_url: str | None = None
    setup_future_usage: str | None = None
    has_mandate: bool = False
    authenticated: bool = False


def prepare_confirmation(scope: Scope, intent: Json, params: Json) -> Confirmation:
    """Check a confirmation before anything happens.

    Raises StripeError 400/404 for a state, token or payment method that cannot be used.
    """
    if intent["status"] not in CONFIRMABLE:
        raise unexpected_state(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.", intent
        )
    token = None
    if params.get("confirmation_token"):
        token = scope.find("confirmation_token", params["confirmation_token"], param="confirmation_token")
        if token["_used"] or token["expires_at"] <= scope.store.now():
            raise invalid(
                "This ConfirmationToken has already been used or has expired.",
                code="payment_intent_unexpected_state",
                param="confirmation_token",
            )
        method = scope.find("payment_method", token["_payment_method"])
    elif params.get("payment_method"):
        method = resolve_method(scope, params["payment_method"])
    elif params.get("payment_method_data"):
        method = method_from_data(scope, params["payment_method_data"])
    elif intent["payment_method"]:
        method = scope.find("payment_method", intent["payment_method"])
    else:
        raise unexpected_state("You cannot confirm this PaymentIntent because it's missing a payment method.", intent)
    _check_method(intent, method)
    confirmation = Confirmation(
        method=method,
        token=token,
        off_session=params.get("off_session") not in (None, False, "false"),
        error_on_requires_action=bool(params.get("error_on_requires_action")),
        use_stripe_sdk=params.get("use_stripe_sdk") in (True, "true"),
        return_url=params.get("return_url") or (token or {}).get("return_url"),
        setup_future_usage=params.get("setup_future_usage") or (token or {}).get("setup_future_usage"),
        has_mandate=bool(params.get("mandate_data") or params.get("mandate") or token or method.get("_mandated")),
    )
    if method["type"] == "us_bank_account" and not confirmation.has_mandate:
        raise invalid(
            "You must provide mandate_data to confirm a us_bank_account PaymentIntent without a mandate.",
            code="parameter_missing",
            param="mandate_data",
        )
    return confirmation


def _check_method(intent: Json, method: Json) -> None:
    if method["type"] not in intent["payment_method_types"]:
        raise invalid(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent.",
            code="payment_intent_invalid_parameter",
            param="payment_method",
        )
    if method["customer"] and method["customer"] != intent["customer"]:
        raise invalid(
            "The provided PaymentMethod belongs to a Customer; include that customer in the request.",
            param="payment_method",
        )


def run_confirmation(scope: Scope, intent: Json, confirmation: Confirmation) -> Json:
    """Carry out a checked confirmation.

    Raises StripeError 402 (executed) when the payment method is declined.
    """
    method = confirmation.method
    if confirmation.token:
        confirmation.token["_used"] = True
        confirmation.token["payment_intent"] = intent["id"]
    if confirmation.setup_future_usage:
        intent["setup_future_usage"] = confirmation.setup_future_usage
    intent.update(payment_method=method["id"], last_payment_error=None, next_action=None)
    behaviour, _, detail = method["_behaviour"].partition(":")
    if asks_bank(method, behaviour) and not confirmation.authenticated:
        if confirmation.off_session or confirmation.error_on_requires_action:
            decline = ("authentication_required", "authentication_required", NEEDS_AUTHENTICATION)
            raise fail_intent(scope, intent, method, *decline)
        return _ask_for_authentication(scope, intent, confirmation)
    if behaviour in ("decline", "decline_after_attach"):
        code, message = DECLINES[detail]
        raise fail_intent(scope, intent, method, code, detail, message)
    if intent["setup_future_usage"] and intent["customer"]:
        attach_method(scope, method, intent["customer"])
    if method["type"] == "us_bank_account":
        return _start_bank_debit(scope, intent, method)
    if intent["capture_method"] == "manual":
        new_charge(scope, intent, method, status="succeeded", captured=False)
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        scope.emit("payment_intent.amount_capturable_updated", intent)
        return intent
    return succeed_intent(scope, intent, method, new_charge(scope, intent, method, status="succeeded"))


def asks_bank(method: Json, behaviour: str) -> bool:
    """Tell whether the payer's bank wants to be asked: always, or until the card has been set up for later."""
    return behaviour == "3ds" or (behaviour == "3ds_once" and not method.get("_authenticated"))


def _ask_for_authentication(scope: Scope, intent: Json, confirmation: Confirmation) -> Json:
    url = f"{scope.double.element_url}/authenticate/{scope.account}/{intent['id']}"
    if confirmation.return_url and not confirmation.use_stripe_sdk:
        action: Json = {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": f"{url}?redirect=1", "return_url": confirmation.return_url},
        }
    else:
        action = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
        }
    intent.update(status="requires_action", next_action=action)
    scope.emit("payment_intent.requires_action", intent)
    return intent


def _start_bank_debit(scope: Scope, intent: Json, method: Json) -> Json:
    if method.get("_mandate_ended"):
        raise fail_intent(scope, intent, method, "mandate_invalid", "mandate_invalid", MANDATE_ENDED)
    method["_mandated"] = True
    charge = new_charge(scope, intent, method, status="pending")
    intent["status"] = "processing"
    scope.emit("payment_intent.processing", intent)
    scope.emit("charge.pending", charge)
    if method["_behaviour"] != "stuck":
        due = scope.store.now() + 4 * DAY
        scope.book.jobs.append({"due": due, "kind": "bank_debit", "id": intent["id"]})
    return intent


def fail_intent(scope: Scope, intent: Json, method: Json, code: str, decline_code: str, message: str) -> StripeError:
    """Record a decline and return the error to raise for it."""
    charge = new_charge(scope, intent, method, status="failed")
    charge.update(failure_code=code, failure_message=message)
    charge["outcome"]["reason"] = decline_code
    error = {
        "type": "card_error",
        "code": code,
        "message": message,
        "decline_code": decline_code,
        "charge": charge["id"],
        "payment_method": public(method),
    }
    intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)
    scope.emit("charge.failed", charge)
    scope.emit("payment_intent.payment_failed", intent)
    return StripeError(
        402,
        "card_error",
        message,
        code=code,
        executed=True,
        decline_code=decline_code,
        charge=charge["id"],
        payment_intent=public(intent),
        payment_method=public(method),
    )


def succeed_intent(scope: Scope, intent: Json, method: Json, charge: Json) -> Json:
    """Move an intent to succeeded and book its charge."""
    intent.update(status="succeeded", amount_received=charge["amount_captured"], amount_capturable=0)
    settle_charge(scope, intent, charge)
    scope.emit("charge.succeeded", charge)
    scope.emit("payment_intent.succeeded", intent)
    behaviour, _, reason = method["_behaviour"].partition(":")
    if behaviour == "dispute":
        open_dispute(scope, charge, reason=reason, status="needs_response")
    elif behaviour == "inquiry":
        open_dispute(scope, charge, reason=reason, status=INQUIRY)
    return intent


def finish_authentication(scope: Scope, intent: Json, *, passed: bool) -> None:
    """Apply the payer's answer on the bank's page; a second answer changes nothing."""
    if intent["status"] != "requires_action":
        return
    method = scope.find("payment_method", intent["payment_method"])
    if not passed:
        error = {
            "type": "card_error",
            "code": "payment_intent_authentication_failure",
            "message": AUTHENTICATION_FAILED,
            "payment_method": public(method),
        }
        intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)
        scope.emit("payment_intent.payment_failed", intent)
        return
    method["_authenticated"] = True
    run_confirmation(scope, intent, Confirmation(method=method, authenticated=True))
