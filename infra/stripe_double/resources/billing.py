"""What the platform sells: products, prices, Checkout for subscriptions, subscriptions, invoices, billing portal."""

from __future__ import annotations

from stripe.params import (
    InvoiceListParams,
    InvoiceRetrieveParams,
    PriceCreateParams,
    PriceListParams,
    PriceRetrieveParams,
    ProductCreateParams,
    ProductRetrieveParams,
    SubscriptionCancelParams,
    SubscriptionListParams,
    SubscriptionRetrieveParams,
    SubscriptionUpdateParams,
)
from stripe.params.billing_portal import SessionCreateParams as PortalSessionCreateParams
from stripe.params.checkout import SessionCreateParams, SessionExpireParams, SessionRetrieveParams

from infra.stripe_double.double import Call
from infra.stripe_double.errors import Json, invalid
from infra.stripe_double.listing import page
from infra.stripe_double.routing import route
from infra.stripe_double.store import PLATFORM
from infra.stripe_double.subscriptions import end_subscription, move_trial

SESSION_SECONDS = 86_400


@route("POST", "/v1/products", ProductCreateParams)
def create_product(call: Call) -> Json:
    """Create a product; its id may be chosen."""
    wanted = call.params.get("id")
    if wanted and wanted in call.book.kind("product"):
        raise invalid(f"Product already exists.: {wanted}", code="resource_already_exists", param="id")
    made = call.create(
        "product", "prod_", name=call.params["name"], active=True, metadata=call.params.get("metadata") or {}
    )
    if wanted:
        del call.book.kind("product")[made["id"]]
        made["id"] = wanted
        call.book.kind("product")[wanted] = made
    made.update(updated=made["created"], type="service")
    return made


@route("GET", "/v1/products/{id}", ProductRetrieveParams)
def retrieve_product(call: Call) -> Json:
    """Return a product."""
    return call.find("product", call.path["id"])


@route("POST", "/v1/prices", PriceCreateParams)
def create_price(call: Call) -> Json:
    """Create a recurring price; a lookup key belongs to one price."""
    key = call.params.get("lookup_key")
    taken = [row for row in call.book.kind("price").values() if key and row["lookup_key"] == key]
    if taken and not call.params.get("transfer_lookup_key"):
        message = f"A price (`{taken[0]['id']}`) already uses that lookup key."
        raise invalid(message, code="resource_already_exists", param="lookup_key")
    for row in taken:
        row["lookup_key"] = None
    product = call.find("product", str(call.params.get("product")))
    given = call.params.get("recurring") or {}
    recurring = {
        "interval": given.get("interval", "month"),
        "interval_count": 1,
        "meter": None,
        "usage_type": "licensed",
    }
    return call.create(
        "price",
        "price_1",
        active=True,
        billing_scheme="per_unit",
        currency=call.params["currency"],
        lookup_key=key,
        metadata=call.params.get("metadata") or {},
        product=product["id"],
        recurring=recurring,
        type="recurring",
        unit_amount=call.params["unit_amount"],
        unit_amount_decimal=str(call.params["unit_amount"]),
    )


@route("GET", "/v1/prices", PriceListParams)
def list_prices(call: Call) -> Json:
    """List prices, newest first."""
    keys = call.params.pop("lookup_keys", None)
    rows = [row for row in call.book.kind("price").values() if not keys or row["lookup_key"] in keys]
    return page(rows, call.params, url="/v1/prices", equal=("active", "product"))


@route("GET", "/v1/prices/{price}", PriceRetrieveParams)
def retrieve_price(call: Call) -> Json:
    """Return a price."""
    return call.find("price", call.path["price"])


@route("POST", "/v1/checkout/sessions", SessionCreateParams)
def create_session(call: Call) -> Json:
    """Create a hosted page on which a customer subscribes; nothing else is written."""
    params = call.params
    if params.get("mode") != "subscription" or call.account != PLATFORM:
        raise invalid("The double's Checkout only takes mode=subscription of the platform.", param="mode", status=501)
    customer = call.find("customer", str(params.get("customer")), param="customer")
    items = params.get("line_items") or []
    if len(items) != 1:
        raise invalid("The double's Checkout takes exactly one line item.", param="line_items")
    price = call.find("price", str(items[0].get("price")), param="line_items[0][price]")
    data = params.get("subscription_data") or {}
    trial_days = int(data.get("trial_period_days") or 0)
    session = call.create(
        "checkout.session",
        "cs_test_a1",
        amount_total=0 if trial_days else price["unit_amount"],
        amount_subtotal=0 if trial_days else price["unit_amount"],
        cancel_url=params.get("cancel_url"),
        client_reference_id=params.get("client_reference_id"),
        currency=price["currency"],
        customer=customer["id"],
        expires_at=call.store.now() + SESSION_SECONDS,
        metadata=params.get("metadata") or {},
        mode="subscription",
        payment_status="unpaid",
        status="open",
        success_url=params.get("success_url"),
        _price=price["id"],
        _subscription_metadata=data.get("metadata") or {},
        _trial_days=trial_days,
    )
    session["url"] = f"{call.double.base_url}/pages/checkout/{session['id']}"
    return session


@route("GET", "/v1/checkout/sessions/{session}", SessionRetrieveParams)
def retrieve_session(call: Call) -> Json:
    """Return a Checkout Session."""
    return call.find("checkout.session", call.path["session"])


@route("POST", "/v1/checkout/sessions/{session}/expire", SessionExpireParams)
def expire_session(call: Call) -> Json:
    """Close a hosted page on which nobody has subscribed yet."""
    session = call.find("checkout.session", call.path["session"])
    if session["status"] != "open":
        raise invalid(f'Only Checkout Sessions with a status in ["open"] can be expired; it is {session["status"]}.')
    session.update(status="expired", url=None)
    call.emit("checkout.session.expired", session)
    return session


@route("GET", "/v1/subscriptions", SubscriptionListParams)
def list_subscriptions(call: Call) -> Json:
    """List subscriptions, newest first; those that ended only with status=all."""
    wanted = call.params.pop("status", None)
    rows = list(call.book.kind("subscription").values())
    if wanted is None:
        rows = [row for row in rows if row["status"] != "canceled"]
    elif wanted != "all":
        rows = [row for row in rows if row["status"] == wanted]
    return page(rows, call.params, url="/v1/subscriptions", equal=("customer",))


@route("GET", "/v1/subscriptions/{subscription}", SubscriptionRetrieveParams)
def retrieve_subscription(call: Call) -> Json:
    """Return a subscription."""
    return call.find("subscription", call.path["subscription"])


@route("POST", "/v1/subscriptions/{subscription}", SubscriptionUpdateParams)
def update_subscription(call: Call) -> Json:
    """Move the end of a trial, or decide whether the subscription ends with its period."""
    subscription = call.find("subscription", call.path["subscription"])
    if "trial_end" in call.params:
        if subscription["status"] != "trialing":
            raise invalid("The double only moves the end of a running trial.", param="trial_end", status=501)
        move_trial(call, subscription, int(call.params["trial_end"]))
    if "cancel_at_period_end" in call.params:
        set_cancellation(call, subscription, at_period_end=bool(call.params["cancel_at_period_end"]))
    call.emit("customer.subscription.updated", subscription)
    return subscription


def set_cancellation(call: Call, subscription: Json, *, at_period_end: bool) -> None:
    """Let a subscription end with its period, or go on."""
    ends = subscription["items"]["data"][0]["current_period_end"]
    subscription.update(
        cancel_at_period_end=at_period_end,
        cancel_at=ends if at_period_end else None,
        canceled_at=call.store.now() if at_period_end else None,
    )


@route("DELETE", "/v1/subscriptions/{subscription}", SubscriptionCancelParams)
def cancel_subscription(call: Call) -> Json:
    """Cancel a subscription at once."""
    subscription = call.find("subscription", call.path["subscription"])
    end_subscription(call, subscription)
    return subscription


@route("GET", "/v1/invoices", InvoiceListParams)
def list_invoices(call: Call) -> Json:
    """List invoices, newest first."""
    rows = list(call.book.kind("invoice").values())
    return page(rows, call.params, url="/v1/invoices", equal=("customer", "status"))


@route("GET", "/v1/invoices/{invoice}", InvoiceRetrieveParams)
def retrieve_invoice(call: Call) -> Json:
    """Return an invoice."""
    return call.find("invoice", call.path["invoice"])


@route("POST", "/v1/billing_portal/sessions", PortalSessionCreateParams)
def create_portal_session(call: Call) -> Json:
    """Create an address of the page on which a customer looks after card, invoices and plan."""
    customer = call.find("customer", str(call.params.get("customer")), param="customer")
    session = call.create(
        "billing_portal.session",
        "bps_1",
        customer=customer["id"],
        configuration="bpc_1default",
        return_url=call.params.get("return_url"),
    )
    session["url"] = f"{call.double.base_url}/pages/portal/{session['id']}"
    return session
