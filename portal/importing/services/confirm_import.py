"""Start a checked import, stop one, or forget one that nobody started."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from portal.importing.files import remove_file
from portal.importing.models import TransferJob
from portal.importing.services.save_mapping import ImportIsNotOpen
from tenants.audit import SYSTEM, Actor, record
from tenants.outbox import emit

FORGOTTEN = "forgotten"
_WAITING = (TransferJob.State.UPLOADED, TransferJob.State.MAPPED, TransferJob.State.CHECKED)
_STOPPABLE = (
    TransferJob.State.UPLOADED,
    TransferJob.State.MAPPED,
    TransferJob.State.CHECKING,
    TransferJob.State.CHECKED,
    TransferJob.State.QUEUED,
    TransferJob.State.RUNNING,
)


def confirm_import(*, job: TransferJob, by: Actor, now: datetime) -> TransferJob:
    """Hand a checked import to the worker, once; raises ImportIsNotOpen."""
    with transaction.atomic():
        changed = TransferJob.objects.filter(pk=job.pk, state=TransferJob.State.CHECKED).update(
            state=TransferJob.State.QUEUED, started_at=now, heartbeat_at=now, started_by=by.id, next_row=0, starts=0
        )
        job.refresh_from_db()
        if not changed:
            raise ImportIsNotOpen(job)
        record("import.confirmed", by=by, now=now, target=job, after={"file": job.file_name})
        emit("import.confirmed", key=f"import.confirmed:{job.pk}", payload={"job": str(job.pk)}, now=now)
    return job


def cancel_import(*, job: TransferJob, by: Actor, now: datetime) -> TransferJob:
    """Stop an import; what is already stored stays. Raises ImportIsNotOpen."""
    with transaction.atomic():
        changed = TransferJob.objects.filter(pk=job.pk, state__in=_STOPPABLE).update(
            state=TransferJob.State.CANCELED, finished_at=now
        )
        job.refresh_from_db()
        if not changed:
            raise ImportIsNotOpen(job)
        record("import.canceled", by=by, now=now, target=job, after={"rows_done": job.next_row})
        transaction.on_commit(lambda: remove_file(job.storage_key))
    return job


def forget_import(*, job_id: UUID, now: datetime) -> None:
    """Remove the list of an import that was never started, or that failed; one that runs or is over stays as it is."""
    with transaction.atomic():
        job = TransferJob.objects.get(pk=job_id)
        changed = TransferJob.objects.filter(pk=job_id, state__in=_WAITING).update(
            state=TransferJob.State.CANCELED, error=FORGOTTEN, finished_at=now
        )
        if changed:
            record("import.forgotten", by=SYSTEM, now=now, target=job, after={"file": job.file_name})
        if changed or job.state == TransferJob.State.FAILED:
            transaction.on_commit(lambda: remove_file(job.storage_key))
