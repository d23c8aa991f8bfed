"""Charges, refunds, balance transactions, application fees and disputes."""

from __future__ import annotations

from stripe.params import (
    ApplicationFeeListParams,
    ApplicationFeeRetrieveParams,
    BalanceTransactionListParams,
    BalanceTransactionRetrieveParams,
    ChargeListParams,
    ChargeRetrieveParams,
    DisputeCloseParams,
    DisputeListParams,
    DisputeRetrieveParams,
    DisputeUpdateParams,
    RefundCreateParams,
    RefundListParams,
    RefundRetrieveParams,
)

from infra.stripe_double.disputes import answer, give_in
from infra.stripe_double.double import Call
from infra.stripe_double.errors import Json, invalid
from infra.stripe_double.ledger import refund_charge
from infra.stripe_double.listing import page
from infra.stripe_double.routing import route


@route("GET", "/v1/charges", ChargeListParams)
def list_charges(call: Call) -> Json:
    """List charges, newest first."""
    rows = list(call.book.kind("charge").values())
    return page(rows, call.params, url="/v1/charges", equal=("payment_intent", "customer"))


@route("GET", "/v1/charges/{charge}", ChargeRetrieveParams)
def retrieve_charge(call: Call) -> Json:
    """Return a charge."""
    return call.find("charge", call.path["charge"])


@route("POST", "/v1/refunds", RefundCreateParams)
def create_refund(call: Call) -> Json:
    """Refund a payment in whole or in part."""
    if call.params.get("payment_intent"):
        intent = call.find("payment_intent", call.params["payment_intent"], param="payment_intent")
        if intent["status"] != "succeeded" or not intent["latest_charge"]:
            raise invalid("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
        charge = call.find("charge", intent["latest_charge"])
    elif call.params.get("charge"):
        charge = call.find("charge", call.params["charge"], param="charge")
    else:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise invalid(message, code="parameter_missing")
    return refund_charge(call, charge, call.params)


@route("GET", "/v1/refunds", RefundListParams)
def list_refunds(call: Call) -> Json:
    """List refunds, newest first."""
    rows = list(call.book.kind("refund").values())
    return page(rows, call.params, url="/v1/refunds", equal=("payment_intent", "charge"))


@route("GET", "/v1/refunds/{refund}", RefundRetrieveParams)
def retrieve_refund(call: Call) -> Json:
    """Return a refund."""
    return call.find("refund", call.path["refund"])


@route("GET", "/v1/balance_transactions", BalanceTransactionListParams)
def list_transactions(call: Call) -> Json:
    """List balance transactions, newest first."""
    rows = list(call.book.kind("balance_transaction").values())
    return page(rows, call.params, url="/v1/balance_transactions", equal=("source", "type", "currency"))


@route("GET", "/v1/balance_transactions/{id}", BalanceTransactionRetrieveParams)
def retrieve_transaction(call: Call) -> Json:
    """Return a balance transaction."""
    return call.find("balance_transaction", call.path["id"])


@route("GET", "/v1/application_fees", ApplicationFeeListParams)
def list_application_fees(call: Call) -> Json:
    """List the platform's fees, newest first."""
    rows = list(call.book.kind("application_fee").values())
    return page(rows, call.params, url="/v1/application_fees", equal=("charge",))


@route("GET", "/v1/application_fees/{id}", ApplicationFeeRetrieveParams)
def retrieve_application_fee(call: Call) -> Json:
    """Return one of the platform's fees."""
    return call.find("application_fee", call.path["id"])


@route("GET", "/v1/disputes", DisputeListParams)
def list_disputes(call: Call) -> Json:
    """List disputes, newest first."""
    rows = list(call.book.kind("dispute").values())
    return page(rows, call.params, url="/v1/disputes", equal=("payment_intent", "charge"))


@route("GET", "/v1/disputes/{dispute}", DisputeRetrieveParams)
def retrieve_dispute(call: Call) -> Json:
    """Return a dispute."""
    return call.find("dispute", call.path["dispute"])


@route("POST", "/v1/disputes/{dispute}", DisputeUpdateParams)
def update_dispute(call: Call) -> Json:
    """Take evidence."""
    evidence = call.params.get("evidence") or {}
    return answer(call, call.find("dispute", call.path["dispute"]), str(evidence.get("uncategorized_text", "")))


@route("POST", "/v1/disputes/{dispute}/close", DisputeCloseParams)
def close_dispute(call: Call) -> Json:
    """Accept a dispute as lost."""
    return give_in(call, call.find("dispute", call.path["dispute"]))
