"""Confirmation tokens: what the payment form hands to the shop's page in place of a card number."""

from __future__ import annotations

from stripe.params import ConfirmationTokenRetrieveParams
from stripe.params.test_helpers import ConfirmationTokenCreateParams

from infra.stripe_double.double import Call
from infra.stripe_double.errors import Json, invalid
from infra.stripe_double.methods import method_from_data, resolve_method
from infra.stripe_double.routing import route

TOKEN_SECONDS = 12 * 3600


@route("POST", "/v1/confirmation_tokens", publishable=True)
def create_in_browser(call: Call) -> Json:
    """Create a token from the payment form; the operation is Stripe.js's own, so the SDK has no type."""
    if not call.publishable:
        raise invalid("This API call can only be made with a publishable API key.", status=401)
    return _new_token(call)


@route("POST", "/v1/test_helpers/confirmation_tokens", ConfirmationTokenCreateParams)
def create_in_test(call: Call) -> Json:
    """Create a token without a browser, from a test payment method."""
    return _new_token(call)


@route("GET", "/v1/confirmation_tokens/{confirmation_token}", ConfirmationTokenRetrieveParams)
def retrieve_token(call: Call) -> Json:
    """Return a token with the preview of its payment method."""
    return call.find("confirmation_token", call.path["confirmation_token"])


def _new_token(call: Call) -> Json:
    if call.params.get("payment_method"):
        method = resolve_method(call, call.params["payment_method"])
    else:
        method = method_from_data(call, call.params.get("payment_method_data") or {})
    preview = {
        "type": method["type"],
        "billing_details": method["billing_details"],
        "customer": method["customer"],
        method["type"]: method[method["type"]],
    }
    return call.create(
        "confirmation_token",
        "ctoken_1",
        expires_at=call.store.now() + TOKEN_SECONDS,
        payment_method_preview=preview,
        return_url=call.params.get("return_url"),
        setup_future_usage=call.params.get("setup_future_usage"),
        use_stripe_sdk=True,
        _payment_method=method["id"],
        _used=False,
    )
