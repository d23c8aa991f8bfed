"""Drives a run from where it stands to its end; may be started anywhere, any number of times (platform.md 3.5)."""

from __future__ import annotations

import logging
from uuid import UUID

from django.utils import timezone

from infra.crash import crash_point
from provisioning.compensation import take_back
from provisioning.fence import Fence, hold_fence
from provisioning.ledger import Opened, Superseded, begin_step, fail_step, finish_step, open_run
from provisioning.steps.base import Definition, Task
from provisioning.steps.order import STEPS

log = logging.getLogger("porchlight.provisioning")
_DEFINITIONS = {step.name: step for step in STEPS}


def drive(run_id: UUID) -> float | None:
    """Do all steps that are left; returns the seconds after which to try again, or None when there is no more to do.

    Leaves at once when another process holds the run's fence. Needs the schemas' owner's login.
    """
    with hold_fence(run_id) as fence:
        if fence is None:
            return None
        opened = open_run(run_id, timezone.now())
        try:
            if opened is not None:
                return _do_steps(opened, fence)
        except Superseded:
            log.warning("the run was taken over or canceled", extra={"run": str(run_id)})
        take_back(run_id)
        return None


def _do_steps(opened: Opened, fence: Fence) -> float | None:
    for name in opened.steps:
        fence.check()
        last = name == opened.steps[-1]
        start = begin_step(opened.run_id, name, timezone.now())
        if start is None:
            return None
        wait = _do_step(opened, _DEFINITIONS[name], start, last, fence)
        if wait is not None:
            return wait or None
    return None


def _do_step(opened: Opened, step: Definition, start: int, last: bool, fence: Fence) -> float | None:
    """Act and record; None means go on, 0 means stop, anything else means come back after so many seconds."""
    crash_point(f"{step.name}.before_act")
    try:
        result = step.act(Task(opened.run_id, opened.tenant_id, start, timezone.now()))
    except Exception as error:
        # Whatever it was: the start is counted, the fault is written down, and the run goes on or is parked.
        log.exception("a provisioning step failed", extra={"run": str(opened.run_id), "step": step.name})
        fence.check()
        wait = fail_step(opened.run_id, step.name, start=start, error=repr(error), now=timezone.now())
        return wait.total_seconds() if wait else 0
    crash_point(f"{step.name}.after_act")
    fence.check()
    finish_step(opened.run_id, step.name, start=start, result=result, last=last, now=timezone.now())
    crash_point(f"{step.name}.after_record")
    return None
