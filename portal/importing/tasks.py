"""Background work of imports, and the watch that starts it again when a worker or the broker was lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from portal.importing.models import TransferJob
from portal.importing.services.check_import import check_import
from portal.importing.services.confirm_import import forget_import
from portal.importing.services.run_import import run_import
from tenants.context import TenantContext
from tenants.outbox import emit, handles
from tenants.schema.models import OutboxEvent
from tenants.tasks import tenant_task

WATCH = timedelta(seconds=60)
SILENCE = timedelta(seconds=45)


@tenant_task(queue="bulk", time_limit_ms=1_800_000)
def import_file(*, context: TenantContext, job: str, **_: Any) -> None:
    """Carry out a confirmed import."""
    run_import(job_id=UUID(job), context=context, clock=timezone.now)


@tenant_task(queue="bulk", time_limit_ms=600_000)
def check_file(*, context: TenantContext, job: str, **_: Any) -> None:
    """Make the preview of a large file."""
    check_import(job=TransferJob.objects.get(pk=UUID(job)), context=context, clock=timezone.now)


WORK = {
    TransferJob.State.CHECKING: check_file,
    TransferJob.State.QUEUED: import_file,
    TransferJob.State.RUNNING: import_file,
}


@handles("import.check")
@handles("import.confirmed")
def start_work(context: TenantContext, event: OutboxEvent) -> None:
    """Ask for the work and watch over it."""
    _ask_and_watch(context, event.payload["job"], series=str(event.pk), number=1)


@handles("import.watch")
def watch_work(context: TenantContext, event: OutboxEvent) -> None:
    """Ask again for work that has gone silent, until it has ended."""
    payload = event.payload
    _ask_and_watch(context, payload["job"], series=payload["series"], number=payload["number"] + 1)


@handles("import.forget")
def forget_file(context: TenantContext, event: OutboxEvent) -> None:
    """Look after a while whether the list was ever imported."""
    forget_import(job_id=UUID(event.payload["job"]), now=timezone.now())


def _ask_and_watch(context: TenantContext, job_id: str, *, series: str, number: int) -> None:
    job = TransferJob.objects.filter(pk=UUID(job_id), state__in=list(WORK)).first()
    if job is None:
        return
    now = timezone.now()
    silent = job.heartbeat_at is None or job.heartbeat_at < now - SILENCE
    if number == 1 or silent:
        WORK[TransferJob.State(job.state)].hint_for(context.tenant.id, job=job_id)
    # The time given is the time it falls due: a minute from now somebody looks whether the work still moves.
    payload = {"job": job_id, "series": series, "number": number}
    emit("import.watch", key=f"import.watch:{series}:{number}", payload=payload, now=now + WATCH)
