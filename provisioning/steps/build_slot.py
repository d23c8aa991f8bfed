"""Step 2: a schema of this release that belongs to this run alone, taken from those that wait or built now."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from infra.crash import crash_point, declare_crash_points
from provisioning.fence import hold_session_lock
from provisioning.models import SchemaSlot
from provisioning.schemas import (
    create_schema,
    current_release,
    drop_schema,
    fingerprint,
    migrate_schema,
    new_schema_name,
)
from provisioning.steps.base import Result, Task
from tenants.scope import control_scope, owner_scope

WITHIN = "build_slot.within"
declare_crash_points(WITHIN)

_CLAIM = """
UPDATE provisioning_schemaslot SET state = 'claimed', claimed_by_run = %s
 WHERE schema_name = (SELECT schema_name FROM provisioning_schemaslot
                       WHERE state = 'ready' AND release = %s
                       ORDER BY built_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING schema_name
"""


def act(task: Task) -> Result:
    """Return the run's own slot if it has one, else claim a waiting one, else build one."""
    slot = _slot_of(task.run_id)
    if slot and slot.state == SchemaSlot.State.CLAIMED:
        return {"schema": slot.schema_name}
    if slot is None:
        ready = _claim_ready(task.run_id)
        if ready:
            return {"schema": ready, "from_pool": True}
        slot = _announce(task.run_id, task.now)
    return {"schema": _build(slot, task.run_id)}


def _slot_of(run_id: UUID) -> SchemaSlot | None:
    with control_scope():
        return SchemaSlot.objects.filter(claimed_by_run=run_id).first()


def _claim_ready(run_id: UUID) -> str | None:
    """Take a waiting slot; one that was changed since it was built is never given away (check 20)."""
    while True:
        with control_scope(), connection.cursor() as cursor:
            cursor.execute(_CLAIM, [run_id, current_release()])
            row = cursor.fetchone()
        if row is None:
            return None
        name = str(row[0])
        digest = fingerprint(name)
        with control_scope():
            if SchemaSlot.objects.filter(schema_name=name, fingerprint=digest).exists():
                return name
            SchemaSlot.objects.filter(schema_name=name).update(state=SchemaSlot.State.DIRTY, claimed_by_run=None)


def _announce(run_id: UUID, now: datetime) -> SchemaSlot:
    """Write the new schema's name into the ledger before it exists: what is not there is never touched (ISO-31)."""
    with control_scope():
        return SchemaSlot.objects.create(
            schema_name=new_schema_name(),
            release=current_release(),
            created_at=now,
            claimed_by_run=run_id,
        )


def _build(slot: SchemaSlot, run_id: UUID) -> str:
    """Make the schema from the start; what a killed builder left of it is removed first (ISO-32)."""
    name = slot.schema_name
    # The killed builder's statement may still be running: the lock is free when its connection has ended.
    with owner_scope(), hold_session_lock(f"schema:{name}"):
        drop_schema(name)
        create_schema(name)
        crash_point(WITHIN)
        migrate_schema(name)
    digest = fingerprint(name)
    with control_scope(), transaction.atomic():
        SchemaSlot.objects.filter(schema_name=name, claimed_by_run=run_id, state=SchemaSlot.State.BUILDING).update(
            state=SchemaSlot.State.CLAIMED,
            built_at=timezone.now(),
            fingerprint=digest,
            release=current_release(),
        )
    return name
