"""The row of a company's subscription: made when it is first needed, found by company or by customer."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from tenants.models import Subscription, Tenant
from tenants.scope import control_scope


def trial_end_of(tenant: Tenant) -> datetime:
    """Return when the trial of a company without a row ends: it begins when the portal opens."""
    return (tenant.first_activated_at or tenant.created_at) + timedelta(days=tenant.plan.trial_days)


def ensure_row(*, tenant_id: UUID, now: datetime) -> Subscription:
    """Return the company's row with company and plan; opens the control plane's scope."""
    with control_scope():
        rows = Subscription.objects.select_related("tenant__plan")
        found = rows.filter(tenant_id=tenant_id).first()
        if found:
            return found
        tenant = Tenant.objects.select_related("plan").get(pk=tenant_id)
        row = Subscription(tenant=tenant, trial_ends_at=trial_end_of(tenant), created_at=now)
        Subscription.objects.bulk_create([row], ignore_conflicts=True)
        return rows.get(tenant_id=tenant_id)


def lock_row(tenant_id: UUID) -> Subscription:
    """Return the row under lock, with the company's as it is now; in the control plane's transaction."""
    row = Subscription.objects.select_for_update().get(tenant_id=tenant_id)
    row.tenant = Tenant.objects.select_related("plan").get(pk=tenant_id)
    return row


def find_tenant_of_customer(customer_id: str) -> UUID | None:
    """Return whose customer this is; the only way from an event of the platform's own account to a company."""
    with control_scope():
        rows = Subscription.objects.filter(stripe_customer_id=customer_id)
        return rows.values_list("tenant_id", flat=True).first()


def note_change(tenant_id: UUID) -> None:
    """Have every process see the company's new standing with its next request."""
    Tenant.objects.filter(pk=tenant_id).update(config_version=F("config_version") + 1)
