"""Background work of imports, and the watch that starts it again when a worker or the broker was lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from portal.importing.models import TransferJob
from portal.importing.services.check_import import check_import
from portal.importing.services.run_import import run_import
from tenants.context import TenantContext
from tenants.outbox import emit, handles
from tenants.schema.models import OutboxEvent
from tenants.tasks import tenant_task

WATCH = timedelta(seconds=60)
SILENCE = timedelta(seconds=45)
_ACTIVE = (TransferJob.State.QUEUED, TransferJob.State.RUNNING)


@tenant_task(queue="bulk", time_limit_ms=1_800_000)
def import_file(*, context: TenantContext, job: str, **_: Any) -> None:
    """Carry out a confirmed import."""
    run_import(job_id=UUID(job), context=context, clock=timezone.now)


@tenant_task(queue="bulk", time_limit_ms=600_000)
def check_file(*, context: TenantContext, job: str, **_: Any) -> None:
    """Make the preview of a large file."""
    check_import(job=TransferJob.objects.get(pk=UUID(job)), context=context, now=timezone.now())


@handles("import.confirmed")
def start_confirmed(context: TenantContext, event: OutboxEvent) -> None:
    """Ask for the work and watch over it."""
    _ask_and_watch(context, event.payload["job"], 1)


@handles("import.watch")
def watch_import(context: TenantContext, event: OutboxEvent) -> None:
    """Ask again for an import that has gone silent, until it has ended."""
    job = TransferJob.objects.filter(pk=UUID(event.payload["job"]), state__in=_ACTIVE).first()
    if job is None:
        return
    silent = job.heartbeat_at is None or job.heartbeat_at < timezone.now() - SILENCE
    _ask_and_watch(context, event.payload["job"], event.payload["round"] + 1, ask=silent)


def _ask_and_watch(context: TenantContext, job: str, number: int, *, ask: bool = True) -> None:
    if ask:
        import_file.hint_for(context.tenant.id, job=job)
    # The time given is the time it falls due: a minute from now somebody looks whether the import still moves.
    emit(
        "import.watch",
        key=f"import.watch:{job}:{number}",
        payload={"job": job, "round": number},
        now=timezone.now() + WATCH,
    )
