"""Leads a company to Stripe's own pages: one on which it subscribes, one on which it looks after card and plan."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing import errors, stripe_facts
from billing.rows import ensure_row
from billing.services.mirror import look_at_company
from billing.standing import LIVING
from tenants.audit import Actor, record_control
from tenants.models import Plan, Subscription
from tenants.scope import control_scope

DAY = timedelta(days=1)


def start_checkout(
    *, tenant_id: UUID, plan_id: UUID, success_url: str, cancel_url: str, by: Actor, now: datetime
) -> str:
    """Return the address of a page on which the company subscribes; raises BillingRefused, StripeAway.

    Must run outside any transaction. There is one open page for a company at a time, so that nobody pays twice.
    """
    row = ensure_row(tenant_id=tenant_id, now=now)
    customer_id = row.stripe_customer_id or _ensure_customer(row)
    closed = row.checkout_session_id
    if closed:
        stripe_facts.close_checkout(closed)
    # Looked at after the old page is closed: what was completed there until now is seen here.
    row = look_at_company(tenant_id=tenant_id, now=now)
    if row.status in LIVING:
        raise errors.AlreadySubscribed
    with control_scope():
        plan = Plan.objects.filter(pk=plan_id, is_offered=True).first()
    if plan is None:
        raise errors.NotOffered
    page = stripe_facts.create_checkout(
        tenant=row.tenant,
        customer_id=customer_id,
        price_id=stripe_facts.ensure_price(plan),
        trial_days=trial_days_left(row, now),
        success_url=success_url,
        cancel_url=cancel_url,
    )
    if not _keep_page(row, closed, page.id, plan, by, now):
        # Somebody else has opened a page in this moment; theirs is the one.
        stripe_facts.close_checkout(page.id)
        raise errors.StripeAway("Another page was opened in this moment.")
    return page.url


def trial_days_left(row: Subscription, now: datetime) -> int:
    """Return the days of the trial that are not used up, begun ones included, whatever was canceled meanwhile. Pure."""
    return max(0, -((now - row.trial_ends_at) // DAY))


def _ensure_customer(row: Subscription) -> str:
    made = stripe_facts.create_customer(row.tenant)
    with control_scope():
        rows = Subscription.objects.filter(pk=row.pk)
        rows.filter(stripe_customer_id__isnull=True).update(stripe_customer_id=made)
        return rows.values_list("stripe_customer_id", flat=True).get() or made


def _keep_page(row: Subscription, closed: str, session_id: str, plan: Plan, by: Actor, now: datetime) -> bool:
    """Put the new page in the place of the one that was closed; False when there is another in it."""
    with control_scope(), transaction.atomic():
        kept = Subscription.objects.filter(pk=row.pk, checkout_session_id=closed).update(checkout_session_id=session_id)
        if kept:
            record_control(
                "billing.checkout",
                by=by,
                now=now,
                tenant_id=row.tenant_id,
                target=stripe_facts.price_key(plan),
                visible_to_tenant=True,
            )
    return bool(kept)


def open_portal(*, tenant_id: UUID, return_url: str, by: Actor, now: datetime) -> str:
    """Return the address of the billing portal; raises NotSubscribed, StripeAway."""
    row = ensure_row(tenant_id=tenant_id, now=now)
    if row.stripe_customer_id is None or row.stripe_subscription_id is None:
        raise errors.NotSubscribed
    url = stripe_facts.create_portal(customer_id=row.stripe_customer_id, return_url=return_url)
    with control_scope(), transaction.atomic():
        record_control("billing.portal", by=by, now=now, tenant_id=tenant_id, visible_to_tenant=True)
    return url
