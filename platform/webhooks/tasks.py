"""Background work on received events, and the sweeps that find what was left lying."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

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


@control_task(queue="webhooks")
def process_inbox(**_: Any) -> None:
    """Work off a batch of what waits in the inbox; a queue of its own, so that a flood delays nobody's mail."""
    from webhooks.services.process import work_off_inbox

    work_off_inbox(now=timezone.now())


@every(30)
def sweep_inbox(now: datetime) -> None:
    """Ask again when events were forgotten or are due for another try; here if the broker is away."""
    from webhooks.services.process import due_events, process_event

    if is_stripe_away():
        return  # every event asks for a look at Stripe; what waits keeps its tries for when it answers (F23)
    due = due_events(now)
    if due and not process_inbox.hint():
        for inbox_id in due:
            process_event(inbox_id=inbox_id, now=now)


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
