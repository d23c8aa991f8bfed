"""The ledger of a run: each entry is one short transaction that moves a run or a step by compare-and-set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from provisioning.events import add_event
from provisioning.models import Run, Step
from provisioning.steps.base import Result
from tenants.audit import SYSTEM, Actor, record_control
from tenants.models import Epoch, Hostname, Tenant
from tenants.outbox import emit_control
from tenants.scope import control_scope

MAX_STARTS = 5


class Superseded(RuntimeError):
    """The run moved on without us; whatever we did is checked again by whoever drives it now."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A run that may be driven now, with the steps that are left."""

    run_id: UUID
    tenant_id: UUID
    steps: tuple[str, ...]


def open_run(run_id: UUID, now: datetime) -> Opened | None:
    """Mark a due run as running and return what is left of it; None when there is nothing to do."""
    with control_scope(), transaction.atomic():
        due = Run.objects.filter(pk=run_id, state__in=Run.OPEN, next_at__lte=now)
        if not due.update(state=Run.State.RUNNING, heartbeat_at=now, starts=F("starts") + 1):
            return None
        run = Run.objects.get(pk=run_id)
        left = Step.objects.filter(run=run).exclude(state=Step.State.DONE).order_by("position")
        return Opened(run.pk, run.tenant_id, tuple(left.values_list("name", flat=True)))


def begin_step(run_id: UUID, name: str, now: datetime) -> int | None:
    """Count a start before anything is done and return its number; None when the step is parked instead.

    Raises Superseded when the run was canceled meanwhile.
    """
    with control_scope(), transaction.atomic():
        run = _running(run_id)
        step = Step.objects.get(run=run, name=name)
        if step.starts >= MAX_STARTS:
            _park(run, step, step.error or "Every start ended with the process.", now)
            return None
        Step.objects.filter(pk=step.pk).update(
            state=Step.State.RUNNING,
            starts=F("starts") + 1,
            started_at=step.started_at or now,
            next_at=None,
        )
        Run.objects.filter(pk=run_id).update(current_step=name, heartbeat_at=now)
        add_event(run_id, "step.started", step=name, args={"start": step.starts + 1}, now=now)
        return step.starts + 1


def finish_step(run_id: UUID, name: str, *, start: int, result: Result, last: bool, now: datetime) -> None:
    """Record result and event together; the last step also ends the run. Raises Superseded."""
    with control_scope(), transaction.atomic():
        run = _running(run_id)
        done = Step.objects.filter(run=run, name=name, state=Step.State.RUNNING, starts=start).update(
            state=Step.State.DONE, finished_at=now, result=result, error=""
        )
        if not done:
            raise Superseded(f"{run_id} {name}")
        add_event(run_id, "step.done", step=name, now=now)
        if last:
            Run.objects.filter(pk=run_id).update(state=Run.State.DONE, finished_at=now, heartbeat_at=now, error="")
            add_event(run_id, "run.done", now=now)


def fail_step(run_id: UUID, name: str, *, start: int, error: str, now: datetime) -> timedelta | None:
    """Record a failed start and return the wait until the next, or None when the run is parked. Raises Superseded."""
    with control_scope(), transaction.atomic():
        run = _running(run_id)
        step = Step.objects.get(run=run, name=name)
        if step.state != Step.State.RUNNING or step.starts != start:
            raise Superseded(f"{run_id} {name}")
        if start >= MAX_STARTS:
            _park(run, step, error, now)
            return None
        wait = timedelta(seconds=2**start)
        Step.objects.filter(pk=step.pk).update(state=Step.State.WAITING, error=error[:2000], next_at=now + wait)
        Run.objects.filter(pk=run_id).update(state=Run.State.WAITING, next_at=now + wait, heartbeat_at=None)
        add_event(run_id, "step.failed", step=name, args={"start": start}, now=now)
        return wait


def reopen(run_id: UUID, *, by: Actor, now: datetime) -> bool:
    """Let a parked run go on where it stopped (transition 4); False when it is not parked."""
    with control_scope(), transaction.atomic():
        run = _locked(run_id)
        if run.state != Run.State.PARKED:
            return False
        Run.objects.filter(pk=run_id).update(state=Run.State.QUEUED, next_at=now, heartbeat_at=None, error="")
        Step.objects.filter(run=run).exclude(state=Step.State.DONE).update(
            state=Step.State.PENDING, starts=0, next_at=None, error=""
        )
        Tenant.objects.filter(pk=run.tenant_id, lifecycle=Tenant.Lifecycle.FAILED).update(
            lifecycle=Tenant.Lifecycle.PROVISIONING
        )
        add_event(run_id, "run.retried", args={"by": by.kind}, now=now)
        record_control("run.retried", by=by, now=now, tenant_id=run.tenant_id, target=f"run {run_id}")
        return True


def cancel(run_id: UUID, *, by: Actor, now: datetime, reason: str = "") -> bool:
    """Give up a company that has never opened and free its address at once (transition 5, check 18).

    False when the company has opened or is given up already: the tenant's row decides between this and activation.
    Runs in the caller's control transaction. What the run made is removed by whoever drives it next.
    """
    run = _locked(run_id)
    if run.state not in (*Run.OPEN, Run.State.PARKED):
        return False
    given_up = [Tenant.Lifecycle.PROVISIONING, Tenant.Lifecycle.FAILED]
    mine = Tenant.objects.filter(pk=run.tenant_id, lifecycle__in=given_up, first_activated_at=None)
    slug = mine.select_for_update().values_list("slug", flat=True).first()
    if slug is None:
        return False
    # The row stays and so does its history; only the name is nobody's again.
    mine.update(lifecycle=Tenant.Lifecycle.PURGING, slug=f"gone-{run.tenant_id.hex}")
    Hostname.objects.filter(tenant_id=run.tenant_id).delete()
    Epoch.objects.update(hostname_epoch=F("hostname_epoch") + 1)
    Run.objects.filter(pk=run_id).update(state=Run.State.COMPENSATING, next_at=now, heartbeat_at=None)
    add_event(run_id, "run.canceled", args={"by": by.kind}, now=now)
    record_control(
        "tenant.canceled",
        by=by,
        now=now,
        tenant_id=run.tenant_id,
        target=slug,
        reason=reason,
        before={"slug": slug, "run": run.state},
        after={"lifecycle": Tenant.Lifecycle.PURGING},
    )
    return True


def _locked(run_id: UUID) -> Run:
    return Run.objects.select_for_update().get(pk=run_id)


def _running(run_id: UUID) -> Run:
    """Lock a run that is being driven; raises Superseded when somebody canceled it."""
    run = _locked(run_id)
    if run.state != Run.State.RUNNING:
        raise Superseded(f"{run_id} is {run.state}")
    return run


def _park(run: Run, step: Step, error: str, now: datetime) -> None:
    """Stop for good until somebody looks: no worker is killed a sixth time (transition 3, check 16)."""
    Step.objects.filter(pk=step.pk).update(state=Step.State.FAILED, error=error[:2000], next_at=None)
    Run.objects.filter(pk=run.pk).update(state=Run.State.PARKED, error=f"{step.name}: {error}"[:2000])
    Tenant.objects.filter(pk=run.tenant_id, lifecycle=Tenant.Lifecycle.PROVISIONING).update(
        lifecycle=Tenant.Lifecycle.FAILED
    )
    add_event(run.pk, "run.parked", step=step.name, now=now)
    record_control(
        "run.parked",
        by=SYSTEM,
        now=now,
        tenant_id=run.tenant_id,
        target=f"run {run.pk}",
        reason=error,
        result="failed",
        surface="job",
    )
    emit_control(
        "run.parked",
        key=f"parked:{run.pk}:{run.starts}",
        payload={"run": str(run.pk), "step": step.name},
        now=now,
        tenant_id=run.tenant_id,
    )
