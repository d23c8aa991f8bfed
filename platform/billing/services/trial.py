"""Lets a trial last longer; for operators, with a reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing import stripe_facts
from billing.errors import TrialOver
from billing.rows import ensure_row, lock_row, note_change
from billing.services.dunning import follow_standing
from billing.services.mirror import look_at_company
from billing.standing import LIVING
from tenants.audit import Actor, record_control
from tenants.models import Subscription
from tenants.scope import control_scope

LONGEST_DAYS = 90


def extend_trial(*, tenant_id: UUID, days: int, reason: str, by: Actor, now: datetime) -> datetime:
    """Let the trial end `days` later, from now if it is over, and return when; raises TrialOver, StripeAway.

    Must run outside any transaction. An office that was held because the trial was over opens at once.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise ValueError(f"A trial is extended by 1 to {LONGEST_DAYS} days.")
    ensure_row(tenant_id=tenant_id, now=now)
    row = look_at_company(tenant_id=tenant_id, now=now)
    before, ends_at = row.trial_ends_at, max(row.trial_ends_at, now) + timedelta(days=days)
    if row.status == "trialing" and row.stripe_subscription_id:
        stripe_facts.move_trial(row.stripe_subscription_id, ends_at)
    with control_scope(), transaction.atomic():
        row = lock_row(tenant_id)
        if row.status in LIVING and row.status != "trialing":
            raise TrialOver
        if row.trial_ends_at != before:
            # A second press, or another operator, was faster; once is what was asked for.
            return row.trial_ends_at
        _write(row, ends_at, now)
        record_control(
            "billing.trial_extended",
            by=by,
            now=now,
            tenant_id=tenant_id,
            reason=reason,
            before={"trial_ends_at": before.isoformat()},
            after={"trial_ends_at": ends_at.isoformat()},
            visible_to_tenant=True,
        )
    return ends_at


def _write(row: Subscription, ends_at: datetime, now: datetime) -> None:
    row.trial_ends_at = ends_at
    row.mirror_version += 1
    row.save()
    note_change(row.tenant_id)
    follow_standing(row, now)
