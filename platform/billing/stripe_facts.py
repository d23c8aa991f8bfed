"""Customers, prices, sessions and subscriptions of the platform as facts: asked for at Stripe; no database here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe

from billing.errors import StripeAway, SubscriptionDisagrees
from billing.standing import LIVING
from infra.stripe_client import platform_stripe
from tenants.models import Plan, Tenant

PAGE = 100


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What Stripe says of one subscription now; only facts we act on."""

    id: str
    status: str
    livemode: bool
    created: int
    price_key: str
    period_end: datetime | None
    trial_end: datetime | None
    cancels_at: datetime | None


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except stripe.StripeError as error:
        raise StripeAway from error


def find_subscription(customer_id: str) -> SubscriptionFacts | None:
    """Return the customer's living subscription, else the newest; raises StripeAway, SubscriptionDisagrees."""
    params: Any = {"customer": customer_id, "status": "all", "limit": PAGE}
    with _asking():
        found = [read_subscription(each) for each in platform_stripe().v1.subscriptions.list(params).auto_paging_iter()]
    living = [each for each in found if each.status in LIVING]
    if len(living) > 1:
        raise SubscriptionDisagrees(f"{customer_id} has {len(living)} living subscriptions and would pay for each")
    return max(living or found, key=lambda each: each.created, default=None)


def read_subscription(subscription: Any) -> SubscriptionFacts:
    """Reduce Stripe's object to facts. Pure."""
    raw: dict[str, Any] = subscription.to_dict()
    item = raw["items"]["data"][0]
    period_end = _moment(item.get("current_period_end"))
    ends = _moment(raw.get("cancel_at")) or (period_end if raw.get("cancel_at_period_end") else None)
    return SubscriptionFacts(
        id=raw["id"],
        status=raw["status"],
        livemode=bool(raw.get("livemode")),
        created=raw["created"],
        price_key=(item.get("price") or {}).get("lookup_key") or "",
        period_end=period_end,
        trial_end=_moment(raw.get("trial_end")),
        cancels_at=ends,
    )


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def price_key(plan: Plan) -> str:
    """Return the name under which Stripe keeps a published version's price. Pure."""
    return f"{plan.code}_v{plan.version}"


def ensure_price(plan: Plan) -> str:
    """Return the id of the plan's price, made once; raises StripeAway, SubscriptionDisagrees (another amount)."""
    client = platform_stripe().v1
    with _asking():
        known = client.prices.list({"lookup_keys": [price_key(plan)], "active": True, "limit": 1}).data
        price = known[0] if known else _make_price(plan)
    if (price.unit_amount, price.currency.upper()) != (plan.price_cents, plan.currency):
        raise SubscriptionDisagrees(f"Stripe sells {price_key(plan)} at {price.unit_amount} {price.currency}")
    return price.id


def _make_price(plan: Plan) -> stripe.Price:
    client, product = platform_stripe().v1, f"plan_{plan.code}"
    try:
        client.products.create({"id": product, "name": plan.name}, {"idempotency_key": f"product:{plan.code}:v1"})
    except stripe.InvalidRequestError as error:
        # An earlier version of this plan has made it.
        if error.code != "resource_already_exists":
            raise
    params: Any = {
        "product": product,
        "currency": plan.currency.lower(),
        "unit_amount": plan.price_cents,
        "recurring": {"interval": "month"},
        "lookup_key": price_key(plan),
    }
    return client.prices.create(params, {"idempotency_key": f"price:{price_key(plan)}:v1"})


def create_customer(tenant: Tenant) -> str:
    """Return the company as our customer at Stripe; the same company asked for twice is one; raises StripeAway."""
    params: Any = {
        "name": tenant.display_name,
        "email": tenant.owner_email,
        "metadata": {"tenant": str(tenant.pk)},
    }
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:16]
    with _asking():
        return platform_stripe().v1.customers.create(params, {"idempotency_key": f"billing:{tenant.pk}:{digest}"}).id


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """Stripe's page on which a company subscribes."""

    id: str
    url: str


def create_checkout(
    *, tenant: Tenant, customer_id: str, price_id: str, trial_days: int, success_url: str, cancel_url: str
) -> CheckoutPage:
    """Return a fresh page; the card is asked for, and charged once the rest of the trial is over; raises StripeAway."""
    about = {"tenant": str(tenant.pk)}
    data: dict[str, Any] = {"metadata": about}
    if trial_days:
        data["trial_period_days"] = trial_days
    params: Any = {
        "mode": "subscription",
        "customer": customer_id,
        "client_reference_id": str(tenant.pk),
        "line_items": [{"price": price_id, "quantity": 1}],
        "subscription_data": data,
        "payment_method_collection": "always",
        "metadata": about,
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    with _asking():
        made = platform_stripe().v1.checkout.sessions.create(params)
    return CheckoutPage(made.id, made.url or "")


def close_checkout(session_id: str) -> None:
    """Let nobody subscribe on this page any more; one that is used or over stays what it is; raises StripeAway."""
    try:
        platform_stripe().v1.checkout.sessions.expire(session_id)
    except stripe.InvalidRequestError:
        return
    except stripe.StripeError as error:
        raise StripeAway from error


def create_portal(*, customer_id: str, return_url: str) -> str:
    """Return the address of Stripe's page for card, invoices and plan; raises StripeAway."""
    with _asking():
        made = platform_stripe().v1.billing_portal.sessions.create({"customer": customer_id, "return_url": return_url})
    return made.url


def move_trial(subscription_id: str, ends_at: datetime) -> None:
    """Let a running trial end later; raises StripeAway."""
    params: Any = {"trial_end": int(ends_at.timestamp()), "proration_behavior": "none"}
    with _asking():
        platform_stripe().v1.subscriptions.update(subscription_id, params)
