"""The message that says "look at this run", and the sweep that makes up for every message that was lost."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from infra.sweeps import every
from provisioning.driver import drive
from provisioning.fence import is_free
from provisioning.models import Run
from provisioning.pool import clean_pool, fill_pool
from tenants.scope import control_scope
from tenants.tasks import control_task

log = logging.getLogger("porchlight.provisioning")

HEARTBEAT_LIMIT = timedelta(seconds=10)
NOBODY_CAME = timedelta(seconds=15)


@control_task(queue="control", time_limit_ms=600_000)
def drive_run(*, run_id: str) -> None:
    """Drive one run in the provisioner's process."""
    wait = drive(UUID(run_id))
    if wait is not None:
        drive_run.hint(delay_ms=int(wait * 1000), run_id=run_id)


# When each abandoned run was first asked for, by this clock.
_asked: dict[UUID, datetime] = {}


@every(2)
def sweep_runs(now: datetime) -> int:
    """Ask for every due run that nobody drives, and drive it here when asking is in vain; returns how many."""
    with control_scope():
        silent = Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - HEARTBEAT_LIMIT)
        due = Run.objects.filter(silent, state__in=Run.DRIVEN, next_at__lte=now).order_by("next_at")
        found = list(due.values_list("pk", flat=True)[:20])
    abandoned = [run_id for run_id in found if is_free(run_id)]
    for gone in _asked.keys() - set(abandoned):
        del _asked[gone]
    for run_id in abandoned:
        if run_id not in _asked and drive_run.hint(run_id=str(run_id)):
            _asked[run_id] = now
        elif run_id not in _asked or now - _asked[run_id] > NOBODY_CAME:
            log.warning("driving a run in the clock's process", extra={"run": str(run_id)})
            drive(run_id)
    return len(abandoned)


@every(2)
def sweep_pool(now: datetime) -> int:
    """Build the one slot that is missing; the next one comes with the next sweep."""
    return fill_pool(now=now)


@every(15)
def sweep_dirty_slots(now: datetime) -> int:
    """Set aside what nobody may have and remove a few of what was set aside."""
    return clean_pool(now=now)
