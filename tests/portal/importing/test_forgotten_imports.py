"""A list that nobody imports does not stay: two weeks after its upload it is removed, unless its import runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from portal.importing.models import TransferJob
from portal.importing.services.confirm_import import forget_import
from portal.importing.services.start_import import KEPT, start_import
from portal.office.imports.pages import failure_text
from tenants.audit import Actor
from tenants.context import TenantContext, prove_tenant
from tenants.outbox import claim_due, deliver_outbox
from tenants.schema.models import AuditEvent, OutboxEvent
from tests.cast import ACME

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
OLIVE = Actor("staff", None, "Olive Owens")
PEOPLE = b"Customer ID,Name,Email\nC-2001,Ana Adams,ana@example.com\n"


@pytest.fixture
def context(acme: Any, settings: Any, tmp_path: Path) -> TenantContext:
    settings.MEDIA_ROOT = tmp_path
    return prove_tenant(ACME, NOW)


@pytest.fixture
def job(context: TenantContext) -> TransferJob:
    """A list that was uploaded and then left alone."""
    return start_import(kind="customers", file_name="list.csv", chunks=[PEOPLE], context=context, by=OLIVE, now=NOW)


def forget(job: TransferJob, capture: Any) -> TransferJob:
    with capture(execute=True):
        forget_import(job_id=job.pk, now=NOW + KEPT)
    job.refresh_from_db()
    return job


def test_a_list_that_was_left_alone_is_removed_with_a_sentence_for_its_owner(
    job: TransferJob, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    assert (tmp_path / job.storage_key).exists()
    assert forget(job, django_capture_on_commit_callbacks).state == "canceled"
    assert not (tmp_path / job.storage_key).exists()
    assert AuditEvent.objects.filter(action="import.forgotten", object_id=job.pk).count() == 1
    assert "removed" in failure_text(job)
    forget(job, django_capture_on_commit_callbacks)
    assert AuditEvent.objects.filter(action="import.forgotten", object_id=job.pk).count() == 1


@pytest.mark.parametrize("state", ["checking", "queued", "running", "done"])
def test_an_import_that_runs_or_is_over_is_not_touched(
    job: TransferJob, state: str, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    TransferJob.objects.filter(pk=job.pk).update(state=state, finished_at=NOW)
    assert forget(job, django_capture_on_commit_callbacks).state == state
    assert (tmp_path / job.storage_key).exists()


def test_the_list_of_a_failed_import_goes_and_its_reason_stays(
    job: TransferJob, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    TransferJob.objects.filter(pk=job.pk).update(state="failed", error="too_many_starts", finished_at=NOW)
    forgotten = forget(job, django_capture_on_commit_callbacks)
    assert (forgotten.state, forgotten.error) == ("failed", "too_many_starts")
    assert not (tmp_path / job.storage_key).exists()


def test_it_falls_due_by_itself_and_not_before(job: TransferJob, context: TenantContext) -> None:
    assert "import.forget" not in {event.type for event in claim_due(OutboxEvent, now=NOW + KEPT - KEPT / 14)}
    OutboxEvent.objects.filter(type="import.forget").update(next_at=NOW - KEPT)
    deliver_outbox(context=context)
    job.refresh_from_db()
    assert (job.state, job.error) == ("canceled", "forgotten")
