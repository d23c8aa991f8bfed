"""Step 2: a schema of this release that belongs to this run alone, taken from those that wait or built now."""

from __future__ import annotations

import logging
from uuid import UUID

from infra.crash import declare_crash_points
from provisioning.models import SchemaSlot
from provisioning.slots import announce_slot, claim_slot, make_slot
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
        slot = announce_slot(run_id=task.run_id, now=task.now)
    template_built = make_slot(slot, crash_within=WITHIN)
    return {"schema": slot.schema_name, "from_pool": False, "template_built": template_built}


def _slot_of(run_id: UUID) -> SchemaSlot | None:
    with control_scope():
        return SchemaSlot.objects.filter(claimed_by_run=run_id).first()
