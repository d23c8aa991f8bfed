"""The ledger of runs: starts are counted before acting, and nothing is tried for ever (platform.md 3.5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from infra.crash import UnknownCrashPoint, crash_point, crash_points
from provisioning.addresses import AddressTaken, hold_address
from provisioning.ledger import MAX_STARTS, Superseded, begin_step, fail_step, finish_step, open_run, reopen
from provisioning.models import Run, RunEvent, Step
from provisioning.services import NewCompany, NotParked, retry_run, start_run
from provisioning.steps.order import CRASH_POINTS, STEPS
from tenants.audit import SYSTEM
from tenants.models import ControlOutbox, Hostname, Plan, PlatformAuditEvent, Tenant

pytestmark = pytest.mark.usefixtures("control")


def _company(slug: str) -> NewCompany:
    return NewCompany(
        slug=slug, name="Bright Electric", plan_id=Plan.objects.get(code="porch").pk, owner_email="R@Bright.example"
    )


@pytest.fixture
def run_id(control: object) -> UUID:
    """A run that nobody has driven."""
    now, holder = timezone.now(), uuid4()
    with transaction.atomic():
        hold_address(slug="bright-electric", holder=holder, now=now)
        return start_run(company=_company("bright-electric"), holder=holder, by=SYSTEM, now=now).pk


def _later(minutes: int) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def test_a_company_begins_with_its_address_run_steps_and_audit(run_id: UUID) -> None:
    tenant = Tenant.objects.get(slug="bright-electric")
    assert (tenant.lifecycle, tenant.schema_name, tenant.owner_email) == ("provisioning", None, "r@bright.example")
    assert Hostname.objects.get(name="bright-electric").tenant_id == tenant.pk
    assert list(Step.objects.order_by("position").values_list("name", flat=True)) == [step.name for step in STEPS]
    assert PlatformAuditEvent.objects.filter(action="tenant.created", tenant_id=tenant.pk).count() == 1


def test_without_the_hold_nothing_begins() -> None:
    with pytest.raises(AddressTaken), transaction.atomic():
        start_run(company=_company("not-held"), holder=uuid4(), by=SYSTEM, now=timezone.now())
    assert not Tenant.objects.filter(slug="not-held").exists()


def test_a_step_whose_worker_always_dies_is_parked_after_five_starts(run_id: UUID) -> None:
    """Acceptance check 16: nothing reports the death, only the count knows; operators are called once."""
    starts = []
    for minute in range(MAX_STARTS + 1):
        open_run(run_id, _later(minute))
        starts.append(begin_step(run_id, "reserve", _later(minute)))
    assert starts == [1, 2, 3, 4, 5, None]
    assert Run.objects.get(pk=run_id).state == "parked"
    assert Tenant.objects.get(slug="bright-electric").lifecycle == "failed"
    assert open_run(run_id, _later(60)) is None
    assert ControlOutbox.objects.filter(topic="run.parked").count() == 1


def test_a_failed_step_waits_longer_each_time_and_then_parks(run_id: UUID) -> None:
    waits = []
    for start in range(1, MAX_STARTS + 1):
        open_run(run_id, _later(start))
        begin_step(run_id, "reserve", _later(start))
        waits.append(fail_step(run_id, "reserve", start=start, error="no", now=_later(start)))
    assert [wait.total_seconds() if wait else None for wait in waits] == [2, 4, 8, 16, None]


def test_a_waiting_run_is_not_opened_before_its_time(run_id: UUID) -> None:
    now = timezone.now()
    open_run(run_id, now)
    begin_step(run_id, "reserve", now)
    wait = fail_step(run_id, "reserve", start=1, error="no", now=now)
    assert wait
    assert open_run(run_id, now + wait - timedelta(seconds=1)) is None
    assert open_run(run_id, now + wait) is not None


def test_whoever_was_overtaken_can_record_nothing(run_id: UUID) -> None:
    """R-PROV: a worker that slept while another one went on has no effect when it wakes."""
    now = timezone.now()
    open_run(run_id, now)
    begin_step(run_id, "reserve", now)
    begin_step(run_id, "reserve", now)
    for late in (
        lambda: finish_step(run_id, "reserve", start=1, result={}, last=False, now=now),
        lambda: fail_step(run_id, "reserve", start=1, error="", now=now),
    ):
        with pytest.raises(Superseded):
            late()
    assert not RunEvent.objects.filter(kind="step.done").exists()


def test_a_parked_run_goes_on_where_it_stopped_and_only_then(run_id: UUID) -> None:
    now = timezone.now()
    with pytest.raises(NotParked):
        retry_run(run_id=run_id, by=SYSTEM, now=now)
    open_run(run_id, now)
    begin_step(run_id, "reserve", now)
    finish_step(run_id, "reserve", start=1, result={"x": 1}, last=False, now=now)
    for start in range(1, MAX_STARTS + 1):
        open_run(run_id, _later(start))
        begin_step(run_id, "build_slot", _later(start))
        fail_step(run_id, "build_slot", start=start, error="no", now=_later(start))
    assert reopen(run_id, by=SYSTEM, now=now)
    opened = open_run(run_id, now)
    assert opened
    assert opened.steps[0] == "build_slot"
    assert Step.objects.get(run_id=run_id, name="reserve").result == {"x": 1}
    assert begin_step(run_id, "build_slot", now) == 1


def test_events_are_numbered_without_gaps(run_id: UUID) -> None:
    now = timezone.now()
    open_run(run_id, now)
    begin_step(run_id, "reserve", now)
    finish_step(run_id, "reserve", start=1, result={}, last=False, now=now)
    assert list(RunEvent.objects.order_by("seq").values_list("seq", "kind")) == [
        (1, "run.created"),
        (2, "step.started"),
        (3, "step.done"),
    ]


def test_every_point_has_a_name_and_others_are_refused() -> None:
    """R-PROV-4."""
    assert set(CRASH_POINTS) <= set(crash_points())
    with pytest.raises(UnknownCrashPoint):
        crash_point("nowhere")
