"""What time brings about: notices, the hold of the office, and a look at what no webhook has told."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import DateTimeField, ExpressionWrapper, F, Q
from django.db.models.functions import Coalesce

from billing.errors import StripeAway, SubscriptionDisagrees
from billing.rows import ensure_row
from billing.services.dunning import TRIAL_NOTICE, advance, grace_of, is_hold_due
from billing.services.mirror import look_at_company
from infra.stripe_client import is_stripe_away
from infra.sweeps import every
from tenants.models import Tenant
from tenants.scope import control_scope

log = logging.getLogger("porchlight.billing")
LOOK_AGAIN = timedelta(hours=20)


@every(300)
def sweep_billing(now: datetime) -> None:
    """Take every company's due step; one company's fault does not stop the others."""
    if is_stripe_away():
        return
    for tenant_id in due_companies(now):
        try:
            step(tenant_id, now)
        except (StripeAway, SubscriptionDisagrees) as error:
            log.warning("billing could not go on", extra={"tenant": str(tenant_id), "error": repr(error)})
        except Exception:
            log.exception("billing failed", extra={"tenant": str(tenant_id)})


def step(tenant_id: UUID, now: datetime) -> None:
    """Take the due step of one company; nobody is held on hearsay, Stripe is asked first. Raises StripeAway."""
    row = ensure_row(tenant_id=tenant_id, now=now)
    with control_scope():
        holds = is_hold_due(row, grace_of(row.tenant, now), now)
    stale = row.checked_at is None or row.checked_at < now - LOOK_AGAIN
    if row.stripe_customer_id and (holds or stale):
        look_at_company(tenant_id=tenant_id, now=now)
    advance(tenant_id=tenant_id, now=now)


def due_companies(now: datetime) -> list[UUID]:
    """Return open companies that owe, whose trial ends soon or is over, or that were not looked at for a day."""
    trial_end = Coalesce(
        "subscription__trial_ends_at",
        ExpressionWrapper(
            F("first_activated_at") + F("plan__trial_days") * timedelta(days=1), output_field=DateTimeField()
        ),
    )
    unsubscribed = Q(subscription__isnull=True) | ~Q(subscription__status="active")
    due = Q(subscription__owing_since__isnull=False)
    due |= unsubscribed & Q(trial_end__lte=now + TRIAL_NOTICE)
    due |= Q(subscription__stripe_customer_id__isnull=False) & (
        Q(subscription__checked_at__isnull=True) | Q(subscription__checked_at__lt=now - LOOK_AGAIN)
    )
    with control_scope():
        found = Tenant.objects.filter(lifecycle=Tenant.Lifecycle.ACTIVE).annotate(trial_end=trial_end)
        return list(found.filter(due).order_by("pk").values_list("pk", flat=True))
