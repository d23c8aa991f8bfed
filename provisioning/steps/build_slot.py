"""Step 2: a schema of this release that belongs to this run alone, taken from those that wait or built now."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction

from infra.crash import declare_crash_points
from provisioning.events import BUILDING, add_event
from provisioning.models import Run, SchemaSlot
from provisioning.slots import announce_slot, claim_slot, make_slot, usual_build_seconds
from provisioning.steps.base import Result, Task
from tenants.scope import control_scope

WITHIN = "build_slot.within"
declare_crash_points(WITHIN)

log = logging.getLogger("porchlight.provisioning")


def act(task: Task) -> Result:
    """Return the run's own slot if it has one, else claim a waiting one, else build one and say so."""
    slot = _slot_of(task.run_id)
    if slot and slot.state == SchemaSlot.State.CLAIMED:
        return {"schema": slot.schema_name}
    if slot is None:
        ready = claim_slot(task.run_id)
        if ready:
            return {"schema": ready, "from_pool": True}
        log.warning("no slot is waiting; building one", extra={"run": str(task.run_id)})
        _say_so(task)
        slot = announce_slot(run_id=task.run_id, now=task.now)
    template_built = make_slot(slot, crash_within=WITHIN)
    return {"schema": slot.schema_name, "from_pool": False, "template_built": template_built}


def _say_so(task: Task) -> None:
    """Tell whoever watches that this takes longer, and how long it took the last times (check 10)."""
    seconds = usual_build_seconds()
    with control_scope(), transaction.atomic():
        Run.objects.select_for_update().get(pk=task.run_id)
        add_event(task.run_id, BUILDING, step="build_slot", args={"seconds": seconds}, now=task.now)


def _slot_of(run_id: UUID) -> SchemaSlot | None:
    with control_scope():
        return SchemaSlot.objects.filter(claimed_by_run=run_id).first()
