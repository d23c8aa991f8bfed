"""Carry out an import in short transactions; killed anywhere, it goes on at the stored row and repeats nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from portal.importing.files import remove_file
from portal.importing.models import TransferJob
from portal.importing.outcome import Outcome
from portal.importing.pipeline import Pipeline, open_pipeline
from portal.importing.refusals import FileRefused
from portal.importing.services.check_import import MAX_STARTS, TooManyStarts, fail_import
from portal.importing.table import Parsed
from tenants.audit import SYSTEM, record
from tenants.context import TenantContext

log = logging.getLogger("porchlight.importing")

_TRIES = 3


def run_import(*, job_id: UUID, context: TenantContext, clock: Callable[[], datetime]) -> None:
    """Import what is left of a confirmed file; a second runner of the same job stops at its first batch."""
    job = _claim(job_id, clock())
    if job is None:
        return
    try:
        if job.starts > MAX_STARTS:
            raise TooManyStarts
        with open_pipeline(job, context) as pipeline:
            offset = job.next_row
            for batch in pipeline.batches(after_rows=offset):
                rows = sum(len(item.rows) for item in batch)
                if not _store_batch(job_id, pipeline, batch, offset, rows, clock):
                    log.info("import goes on elsewhere or was stopped", extra={"job": str(job_id), "row": offset})
                    return
                offset += rows
    except (FileRefused, FileNotFoundError, TooManyStarts) as problem:
        log.warning("import failed", extra={"job": str(job_id), "error": repr(problem)})
        fail_import(job, problem, clock())
        return
    _finish(job_id, clock())


def _claim(job_id: UUID, now: datetime) -> TransferJob | None:
    waiting = (TransferJob.State.QUEUED, TransferJob.State.RUNNING)
    changed = TransferJob.objects.filter(pk=job_id, state__in=waiting).update(
        state=TransferJob.State.RUNNING, starts=F("starts") + 1, heartbeat_at=now
    )
    return TransferJob.objects.get(pk=job_id) if changed else None


def _store_batch(
    job_id: UUID,
    pipeline: Pipeline,
    batch: list[Parsed[Any]],
    offset: int,
    rows: int,
    clock: Callable[[], datetime],
) -> bool:
    """Store one batch and move the job on in the same transaction; False when the job is not where we are."""
    for attempt in range(1, _TRIES + 1):
        try:
            with transaction.atomic():
                job = (
                    TransferJob.objects.select_for_update()
                    .filter(pk=job_id, state=TransferJob.State.RUNNING, next_row=offset)
                    .first()
                )
                if job is None:
                    return False
                now = clock()
                outcome = Outcome.from_json(job.report)
                outcome.add(pipeline.store(batch, now=now, dry_run=False))
                job.next_row = offset + rows
                job.report = outcome.as_json()
                job.created_count, job.updated_count = outcome.created, outcome.updated
                job.unchanged_count, job.error_count = outcome.unchanged, outcome.errors
                job.heartbeat_at = now
                job.save()
            return True
        except IntegrityError:
            # Somebody created one of these records after we looked; looking again finds it.
            if attempt == _TRIES:
                raise
    return False


def _finish(job_id: UUID, now: datetime) -> None:
    with transaction.atomic():
        changed = TransferJob.objects.filter(
            pk=job_id, state=TransferJob.State.RUNNING, next_row=F("rows_total")
        ).update(state=TransferJob.State.DONE, finished_at=now, heartbeat_at=now)
        if changed:
            job = TransferJob.objects.get(pk=job_id)
            counts = {
                "created": job.created_count,
                "updated": job.updated_count,
                "unchanged": job.unchanged_count,
                "errors": job.error_count,
            }
            record("import.done", by=SYSTEM, now=now, target=job, after=counts)
            # The list has become records; a second copy of people's data helps nobody.
            transaction.on_commit(lambda: remove_file(job.storage_key))
