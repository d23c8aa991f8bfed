"""The dry run: what an import would create, update and leave out, without writing a record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from portal.importing.models import TransferJob
from portal.importing.outcome import Outcome
from portal.importing.pipeline import open_pipeline
from portal.importing.refusals import FileRefused
from portal.importing.services.save_mapping import ImportIsNotOpen
from tenants.context import TenantContext
from tenants.outbox import emit

# Up to this many rows the office gets the preview in the same breath; above, the worker makes it.
ROWS_AT_ONCE = 3_000
MAX_STARTS = 10
_KEPT = 200


class TooManyStarts(Exception):
    """The work has been started again and again without reaching its end."""


def request_check(*, job: TransferJob, context: TenantContext, now: datetime) -> TransferJob:
    """Check a small file now and ask the worker for a large one; raises ImportIsNotOpen."""
    with transaction.atomic():
        changed = TransferJob.objects.filter(pk=job.pk, state=TransferJob.State.MAPPED).update(
            state=TransferJob.State.CHECKING, next_row=0, starts=0, heartbeat_at=now
        )
        job.refresh_from_db()
        if not changed:
            raise ImportIsNotOpen(job)
        if job.rows_total > ROWS_AT_ONCE:
            # A file may be checked again with other columns, so the moment is part of the key.
            key = f"import.check:{job.pk}:{now.isoformat()}"
            emit("import.check", key=key, payload={"job": str(job.pk)}, now=now)
            return job
    return check_import(job=job, context=context, clock=lambda: now)


def check_import(*, job: TransferJob, context: TenantContext, clock: Callable[[], datetime]) -> TransferJob:
    """Run through the file without writing records and store what was found on the job."""
    checking = TransferJob.objects.filter(pk=job.pk, state=TransferJob.State.CHECKING)
    if not checking.update(starts=F("starts") + 1, heartbeat_at=clock()):
        return job
    job.refresh_from_db()
    outcome = Outcome()
    done = 0
    try:
        if job.starts > MAX_STARTS:
            raise TooManyStarts
        with open_pipeline(job, context) as pipeline:
            for batch in pipeline.batches():
                outcome.add(pipeline.store(batch, now=clock(), dry_run=True))
                done += sum(len(item.rows) for item in batch)
                checking.update(next_row=done, heartbeat_at=clock())
            notes = pipeline.table.survey.notes
    except (FileRefused, FileNotFoundError, TooManyStarts) as problem:
        fail_import(job, problem, clock())
        return job
    outcome.issues = outcome.issues[:_KEPT]
    checks = {"outcome": outcome.as_json(), "notes": notes, "checked_at": clock().isoformat()}
    checking.update(state=TransferJob.State.CHECKED, checks=checks, next_row=0)
    job.refresh_from_db()
    return job


def fail_import(job: TransferJob, problem: Exception, now: datetime) -> None:
    """End the import with its reason: a sentence for a bad file, otherwise a code that the report page explains."""
    code = "file_missing" if isinstance(problem, FileNotFoundError) else "too_many_starts"
    text = problem.message if isinstance(problem, FileRefused) else code
    TransferJob.objects.filter(pk=job.pk).exclude(
        state__in=[TransferJob.State.DONE, TransferJob.State.CANCELED]
    ).update(state=TransferJob.State.FAILED, error=text, finished_at=now)
    job.refresh_from_db()
