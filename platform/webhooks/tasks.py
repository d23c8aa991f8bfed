"""Background work on received events."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from tenants.tasks import control_task


@control_task(queue="control")
def process_inbox(*, inbox_id: str) -> None:
    """Work off one event of the inbox."""
    from webhooks.services.process import process_event

    process_event(inbox_id=UUID(inbox_id), now=timezone.now())


@control_task(queue="control")
def sweep_inbox() -> None:
    """Ask again for every event that was forgotten or is due for another try."""
    from webhooks.services.process import sweep_due_events

    sweep_due_events(now=timezone.now())


@control_task(queue="control")
def sweep_attempts() -> None:
    """Ask every company that takes payments to finish what was left open (F2, F11)."""
    from portal.payments.tasks import resume_open_attempts
    from tenants.payment_accounts import tenants_that_take_payments

    for tenant_id in tenants_that_take_payments():
        resume_open_attempts.hint_for(tenant_id)
