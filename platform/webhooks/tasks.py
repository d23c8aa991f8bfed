"""Background work on received events, and the sweeps that find what was left lying."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from infra.stripe_client import is_stripe_away
from infra.sweeps import every
from portal.payments.services.refunds import has_open_refunds
from portal.payments.services.settle import has_open_attempts
from portal.payments.tasks import resume_open_attempts, resume_open_refunds
from tenants.context import IdentityMismatch, UnknownTenant, serving
from tenants.payment_accounts import tenants_that_take_payments
from tenants.tasks import control_task

log = logging.getLogger("porchlight.webhooks")


@control_task()
def process_inbox(*, inbox_id: str) -> None:
    """Work off one event of the inbox."""
    from webhooks.services.process import process_event

    process_event(inbox_id=UUID(inbox_id), now=timezone.now())


@every(30)
def sweep_inbox(now: datetime) -> None:
    """Ask again for every event that was forgotten or is due for another try; here if the broker is away."""
    from webhooks.services.process import due_events

    if is_stripe_away():
        return  # every event asks for a look at Stripe; what waits keeps its tries for when it answers (F23)
    for inbox_id in due_events(now):
        if not process_inbox.hint(inbox_id=str(inbox_id)):
            process_inbox(inbox_id=str(inbox_id))


@every(30)
def sweep_attempts(now: datetime) -> None:
    """Have every company's open attempts settled: crash, lost answer, lost webhook, abandoned page (F2, F11, F14)."""
    if is_stripe_away():
        return
    for tenant_id in tenants_that_take_payments():
        try:
            with serving(tenant_id, now) as context:
                if has_open_attempts() and not resume_open_attempts.hint_for(tenant_id):
                    resume_open_attempts(context=context)
        except (UnknownTenant, IdentityMismatch):
            log.exception("a company cannot be served", extra={"tenant": str(tenant_id)})


@every(300)
def sweep_refunds(now: datetime) -> None:
    """Have every company's refunds looked at that are neither made nor failed (F2, F11, F18; R1)."""
    if is_stripe_away():
        return
    for tenant_id in tenants_that_take_payments():
        try:
            with serving(tenant_id, now) as context:
                if has_open_refunds() and not resume_open_refunds.hint_for(tenant_id):
                    resume_open_refunds(context=context)
        except (UnknownTenant, IdentityMismatch):
            log.exception("a company cannot be served", extra={"tenant": str(tenant_id)})


@every(3600)
def pull_lost_events(now: datetime) -> None:
    """Read the accounts' event lists: what no webhook has told is found within the hour."""
    from webhooks.services.pull import pull_all_events

    pull_all_events(now=now)


@every(3600)
def compare_books(now: datetime) -> None:
    """Compare every company's books with Stripe's once a night (R3, R4); what failed is tried the next hour."""
    from webhooks.services.reconcile import reconcile_all

    reconcile_all(now=now)
