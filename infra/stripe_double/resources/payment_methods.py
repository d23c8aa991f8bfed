"""Payment methods: create, retrieve, list, attach, detach."""

from __future__ import annotations

from stripe.params import (
    PaymentMethodAttachParams,
    PaymentMethodCreateParams,
    PaymentMethodDetachParams,
    PaymentMethodListParams,
    PaymentMethodRetrieveParams,
)

from infra.stripe_double.double import Call
from infra.stripe_double.errors import Json, StripeError, invalid
from infra.stripe_double.instruments import DECLINES
from infra.stripe_double.listing import page
from infra.stripe_double.methods import attach_method, method_from_data, resolve_method
from infra.stripe_double.routing import route


@route("POST", "/v1/payment_methods", PaymentMethodCreateParams, publishable=True)
def create_payment_method(call: Call) -> Json:
    """Create a payment method."""
    return method_from_data(call, call.params)


@route("GET", "/v1/payment_methods", PaymentMethodListParams)
def list_payment_methods(call: Call) -> Json:
    """List the payment methods of a customer."""
    rows = [row for row in call.book.kind("payment_method").values() if row["customer"]]
    return page(rows, call.params, url="/v1/payment_methods", equal=("customer", "type"))


@route("GET", "/v1/payment_methods/{payment_method}", PaymentMethodRetrieveParams)
def retrieve_payment_method(call: Call) -> Json:
    """Return a payment method."""
    return call.find("payment_method", call.path["payment_method"], label="PaymentMethod")


@route("POST", "/v1/payment_methods/{payment_method}/attach", PaymentMethodAttachParams)
def attach_payment_method(call: Call) -> Json:
    """Attach a payment method to a customer; the bank may decline it here already."""
    customer = call.find("customer", call.params.get("customer", ""), param="customer")
    method = resolve_method(call, call.path["payment_method"])
    behaviour, _, detail = method["_behaviour"].partition(":")
    if behaviour == "decline":
        code, message = DECLINES[detail]
        raise StripeError(402, "card_error", message, code=code, executed=True, decline_code=detail)
    attach_method(call, method, customer["id"])
    return method


@route("POST", "/v1/payment_methods/{payment_method}/detach", PaymentMethodDetachParams)
def detach_payment_method(call: Call) -> Json:
    """Detach a payment method for good."""
    method = call.find("payment_method", call.path["payment_method"], label="PaymentMethod")
    customer = method["customer"]
    if not customer:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    method.update(customer=None, _detached=True)
    call.emit("payment_method.detached", method, {"customer": customer})
    return method
