"""The dry run: what an import would create, update and leave out, without writing a record."""

from __future__ import annotations

from datetime import datetime

from portal.importing.models import TransferJob
from portal.importing.outcome import Outcome
from portal.importing.pipeline import open_pipeline
from portal.importing.refusals import FileRefused
from portal.importing.services.save_mapping import ImportIsNotOpen
from tenants.context import TenantContext

# Up to this many rows the office gets the preview in the same breath; above, the worker makes it.
ROWS_AT_ONCE = 3_000
_KEPT = 200


def request_check(*, job: TransferJob, context: TenantContext, now: datetime) -> TransferJob:
    """Check a small file now and ask the worker for a large one; raises ImportIsNotOpen."""
    from portal.importing.tasks import check_file

    changed = TransferJob.objects.filter(pk=job.pk, state=TransferJob.State.MAPPED).update(
        state=TransferJob.State.CHECKING, next_row=0, heartbeat_at=now
    )
    job.refresh_from_db()
    if not changed:
        raise ImportIsNotOpen(job)
    if job.rows_total <= ROWS_AT_ONCE:
        return check_import(job=job, context=context, now=now)
    check_file.hint_after_commit(context.tenant.id, job=str(job.pk))
    return job


def check_import(*, job: TransferJob, context: TenantContext, now: datetime) -> TransferJob:
    """Run through the file without writing records and store what was found on the job."""
    if job.state != TransferJob.State.CHECKING:
        return job
    outcome = Outcome()
    done = 0
    try:
        with open_pipeline(job, context) as pipeline:
            for batch in pipeline.batches():
                outcome.add(pipeline.store(batch, now=now, dry_run=True))
                done += sum(len(item.rows) for item in batch)
                TransferJob.objects.filter(pk=job.pk, state=TransferJob.State.CHECKING).update(next_row=done)
            notes = pipeline.table.survey.notes
    except (FileRefused, FileNotFoundError) as problem:
        fail_import(job, problem, now)
        return job
    outcome.issues = outcome.issues[:_KEPT]
    checks = {"outcome": outcome.as_json(), "notes": notes, "checked_at": now.isoformat()}
    TransferJob.objects.filter(pk=job.pk, state=TransferJob.State.CHECKING).update(
        state=TransferJob.State.CHECKED, checks=checks, next_row=0
    )
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
