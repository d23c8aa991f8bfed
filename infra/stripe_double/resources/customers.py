"""Customers of one account."""

from __future__ import annotations

from stripe.params import (
    CustomerCreateParams,
    CustomerDeleteParams,
    CustomerListParams,
    CustomerListPaymentMethodsParams,
    CustomerRetrieveParams,
    CustomerUpdateParams,
)

from infra.stripe_double.double import Call
from infra.stripe_double.errors import Json
from infra.stripe_double.listing import merge_metadata, page
from infra.stripe_double.routing import route

PLAIN_FIELDS = ("email", "name", "phone", "description", "address", "shipping")


@route("POST", "/v1/customers", CustomerCreateParams)
def create_customer(call: Call) -> Json:
    """Create a customer."""
    customer = call.create(
        "customer",
        "cus_",
        balance=0,
        delinquent=False,
        invoice_prefix=call.store.new_id("", 8).upper(),
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        metadata=call.params.get("metadata") or {},
        preferred_locales=[],
        tax_exempt="none",
        **{key: call.params.get(key) for key in PLAIN_FIELDS},
    )
    call.emit("customer.created", customer)
    return customer


@route("GET", "/v1/customers", CustomerListParams)
def list_customers(call: Call) -> Json:
    """List customers, newest first."""
    rows = list(call.book.kind("customer").values())
    return page(rows, call.params, url="/v1/customers", equal=("email",))


@route("GET", "/v1/customers/{customer}", CustomerRetrieveParams)
def retrieve_customer(call: Call) -> Json:
    """Return a customer, or its tombstone."""
    tombstone = call.book.kind("_deleted_customer").get(call.path["customer"])
    return tombstone or call.find("customer", call.path["customer"])


@route("POST", "/v1/customers/{customer}", CustomerUpdateParams)
def update_customer(call: Call) -> Json:
    """Change a customer."""
    customer = call.find("customer", call.path["customer"])
    previous = {}
    for key in (*PLAIN_FIELDS, "metadata", "invoice_settings"):
        if key not in call.params:
            continue
        value = call.params[key] if call.params[key] != "" else None
        if key == "metadata":
            value = merge_metadata(customer["metadata"], call.params[key])
        elif key == "invoice_settings":
            value = {**customer["invoice_settings"], **call.params[key]}
        previous[key] = customer[key]
        customer[key] = value
    call.emit("customer.updated", customer, previous)
    return customer


@route("DELETE", "/v1/customers/{customer}", CustomerDeleteParams)
def delete_customer(call: Call) -> Json:
    """Delete a customer."""
    customer = call.find("customer", call.path["customer"])
    del call.book.kind("customer")[customer["id"]]
    tombstone = {"id": customer["id"], "object": "customer", "deleted": True}
    call.book.kind("_deleted_customer")[customer["id"]] = tombstone
    call.emit("customer.deleted", customer)
    return tombstone


@route("GET", "/v1/customers/{customer}/payment_methods", CustomerListPaymentMethodsParams)
def list_customer_methods(call: Call) -> Json:
    """List the payment methods attached to a customer."""
    customer = call.find("customer", call.path["customer"])
    rows = [row for row in call.book.kind("payment_method").values() if row["customer"] == customer["id"]]
    return page(rows, call.params, url=f"/v1/customers/{customer['id']}/payment_methods", equal=("type",))
