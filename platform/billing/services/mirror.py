"""Makes our row equal to Stripe's subscription: an event only says "look again" (payments.md 3)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing import stripe_facts
from billing.errors import StripeAway, SubscriptionDisagrees
from billing.rows import ensure_row, lock_row, note_change
from billing.services.dunning import follow_standing
from billing.stripe_facts import SubscriptionFacts
from tenants.audit import SYSTEM, record_control
from tenants.models import Plan, Subscription, Tenant
from tenants.scope import control_scope

# Of those who look at once, one comes through each time.
LOOKS = 20


def look_at_company(*, tenant_id: UUID, now: datetime) -> Subscription:
    """Fetch the company's subscription and mirror it; raises StripeAway, SubscriptionDisagrees.

    Must run outside any transaction. Events may come late, twice or in any order: whoever fetched before somebody
    else's answer was written down fetches again.
    """
    for _ in range(LOOKS):
        seen = ensure_row(tenant_id=tenant_id, now=now)
        if seen.stripe_customer_id is None:
            return seen
        found = stripe_facts.find_subscription(seen.stripe_customer_id)
        with control_scope(), transaction.atomic():
            row = lock_row(tenant_id)
            if row.mirror_version != seen.mirror_version:
                continue
            _apply(row, found, now)
            return row
    raise StripeAway("It changed faster than it could be looked at.")


def _apply(row: Subscription, found: SubscriptionFacts | None, now: datetime) -> None:
    before = shown(row)
    row.mirror_version += 1
    row.checked_at = now
    if found:
        row.stripe_subscription_id = found.id
        row.status = found.status
        row.livemode = found.livemode
        row.current_period_end = found.period_end
        row.cancels_at = found.cancels_at
        if found.status == "trialing" and found.trial_end:
            row.trial_ends_at = found.trial_end
        if found.status != "canceled":
            _follow_plan(row, found)
    row.save()
    after = shown(row)
    if before != after:
        note_change(row.tenant_id)
        record_control(
            "billing.changed",
            by=SYSTEM,
            now=now,
            tenant_id=row.tenant_id,
            target=row.stripe_subscription_id or "",
            before=before,
            after=after,
            visible_to_tenant=True,
        )
    follow_standing(row, now)


def _follow_plan(row: Subscription, found: SubscriptionFacts) -> None:
    """Pin the plan that is paid for: in the billing portal a company may have chosen another."""
    code, _, version = found.price_key.rpartition("_v")
    plan = Plan.objects.filter(code=code, version=int(version)).first() if version.isdigit() else None
    if plan is None:
        raise SubscriptionDisagrees(f"{found.id} is sold at a price that is no plan of ours")
    if plan.pk != row.tenant.plan_id:
        Tenant.objects.filter(pk=row.tenant_id).update(plan=plan)
        row.tenant.plan = plan


def shown(row: Subscription) -> dict[str, object]:
    """Return what the audit keeps of a row."""
    return {
        "status": row.status,
        "plan": stripe_facts.price_key(row.tenant.plan),
        "trial_ends_at": row.trial_ends_at.isoformat(),
        "period_ends_at": row.current_period_end.isoformat() if row.current_period_end else None,
        "cancels_at": row.cancels_at.isoformat() if row.cancels_at else None,
    }
