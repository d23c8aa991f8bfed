"""A runner that is killed, comes second or goes silent: the import goes on where it was, or ends with its reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from portal.customers.models import Customer
from portal.importing import pipeline, tasks
from portal.importing.models import TransferJob
from portal.importing.services import check_import
from portal.importing.services.confirm_import import confirm_import
from tenants.context import TenantContext, prove_tenant
from tenants.schema.models import OutboxEvent
from tests.cast import ACME
from tests.portal.importing.running import NOW, OLIVE, PEOPLE, bring_in, check, counts, run, upload


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def context(acme: Any) -> TenantContext:
    return prove_tenant(ACME, NOW)


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, nothing after it runs."""


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 10)


@pytest.mark.parametrize("kill_at", [1, 2, 3])
def test_a_killed_import_goes_on_where_it_was_and_repeats_nothing(
    context: TenantContext, small_batches: None, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    """R-TASK: each batch is one transaction with its own progress."""
    rows = b"".join(b"K-%d,Person %d,p%d@example.com,,,,,\n" % (n, n, n) for n in range(35))
    job = check(upload("customers", PEOPLE.splitlines(keepends=True)[0] + rows, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    calls = 0
    store = pipeline.Pipeline.store

    def store_and_die(self: Any, batch: Any, *, now: datetime, dry_run: bool) -> Any:
        nonlocal calls
        outcome = store(self, batch, now=now, dry_run=dry_run)
        calls += 1
        if calls == kill_at:
            raise Killed
        return outcome

    monkeypatch.setattr(pipeline.Pipeline, "store", store_and_die)
    with pytest.raises(Killed):
        run(job, context)
    job.refresh_from_db()
    assert (job.state, job.next_row) == ("running", (kill_at - 1) * 10)
    assert Customer.objects.filter(external_id__startswith="K-").count() == (kill_at - 1) * 10
    monkeypatch.setattr(pipeline.Pipeline, "store", store)
    run(job, context)
    assert (job.state, job.next_row, counts(job)) == ("done", 35, (35, 0, 0, 0))
    assert Customer.objects.filter(external_id__startswith="K-").count() == 35


def test_a_second_runner_of_the_same_job_stops_at_once(context: TenantContext) -> None:
    job = bring_in("customers", PEOPLE, context)
    run(job, context)
    assert (job.state, job.starts, counts(job)) == ("done", 1, (3, 0, 0, 0))


def events(kind: str) -> list[OutboxEvent]:
    return list(OutboxEvent.objects.filter(type=kind).order_by("created_at"))


def test_an_import_that_goes_silent_is_asked_for_again_until_it_ends(
    context: TenantContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-TASK-1: the broker may lose every message; the outbox still leads to the end."""
    asked: list[str] = []
    monkeypatch.setattr(tasks.import_file, "hint_for", lambda tenant, *, job: asked.append(job))
    job = check(upload("customers", PEOPLE, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    tasks.start_work(context, events("import.confirmed")[0])
    assert asked == [str(job.pk)]
    watch = events("import.watch")[-1]
    assert watch.next_at > timezone.now()
    # Still alive: nobody is asked, but the watch goes on.
    TransferJob.objects.filter(pk=job.pk).update(state="running", heartbeat_at=timezone.now())
    tasks.watch_work(context, watch)
    assert len(asked) == 1
    # Silent for longer than a batch may take: asked again.
    TransferJob.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=2))
    tasks.watch_work(context, events("import.watch")[-1])
    assert len(asked) == 2
    run(job, context)
    tasks.watch_work(context, events("import.watch")[-1])
    assert (len(asked), len(events("import.watch"))) == (2, 3)


def test_a_large_file_is_checked_in_the_background_and_watched(
    context: TenantContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_import, "ROWS_AT_ONCE", 1)
    asked: list[str] = []
    monkeypatch.setattr(tasks.check_file, "hint_for", lambda tenant, *, job: asked.append(job))
    job = check(upload("customers", PEOPLE, context), context)
    assert job.state == "checking"
    tasks.start_work(context, events("import.check")[0])
    assert asked == [str(job.pk)]
    tasks.check_file(context=context, job=str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.checks["outcome"]["created"]) == ("checked", 3)
    tasks.watch_work(context, events("import.watch")[0])
    assert len(events("import.watch")) == 1


def test_an_import_that_never_ends_is_given_up(context: TenantContext) -> None:
    job = check(upload("customers", PEOPLE, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    TransferJob.objects.filter(pk=job.pk).update(starts=check_import.MAX_STARTS)
    run(job, context)
    assert (job.state, job.error) == ("failed", "too_many_starts")
