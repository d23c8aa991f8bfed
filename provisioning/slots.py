"""Schemas without a company: announced, made, proved, handed out once (platform.md 3.5; ISO-30, ISO-31, ISO-32)."""

from __future__ import annotations

from datetime import datetime
from statistics import median
from uuid import UUID

from django.db import connection
from django.utils import timezone

from infra.crash import crash_point
from provisioning.blueprint import replay
from provisioning.fence import hold_session_lock
from provisioning.models import SchemaSlot
from provisioning.schemas import current_release, drop_schema, fingerprint, new_schema_name
from provisioning.templates import ensure_template
from tenants.scope import control_scope, owner_scope

GUESSED_SECONDS = 5.0

_CLAIM = """
UPDATE provisioning_schemaslot SET state = 'claimed', claimed_by_run = %s
 WHERE schema_name = (SELECT schema_name FROM provisioning_schemaslot
                       WHERE state = 'ready' AND release = %s
                       ORDER BY built_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING schema_name, fingerprint, stamp <> '' AND stamp = gate.stamp(schema_name),
          set_config('synchronous_commit', %s, true)
"""


def claim_slot(run_id: UUID) -> str | None:
    """Take a waiting slot of this release; one that was changed since it was built is set aside (check 20).

    The proof is the stamp, in the same round trip; whose stamp differs is judged by its fingerprint.
    """
    # Nobody waits for the disk here: the log keeps its order, so a server that forgets the claim in a crash has
    # forgotten everything that was done after it too, and what the run's ledger says is waited for when it is written.
    # Inside somebody's transaction the claim is written through with it.
    durability = "on" if connection.in_atomic_block else "off"
    while True:
        with control_scope(), connection.cursor() as cursor:
            cursor.execute(_CLAIM, [run_id, current_release(), durability])
            row = cursor.fetchone()
        if row is None:
            return None
        schema, digest, untouched, _ = row
        if untouched or is_as_built(schema, digest):
            return str(schema)
        with control_scope():
            SchemaSlot.objects.filter(schema_name=schema, claimed_by_run=run_id).update(
                state=SchemaSlot.State.DIRTY, claimed_by_run=None
            )


def is_as_built(schema: str, digest: str) -> bool:
    """Whether the schema still has the fingerprint that the ledger holds."""
    return fingerprint(schema) == digest


def usual_build_seconds() -> float:
    """Return how long the last schemas took to build: the middle one of ten, or a guess when there are none."""
    with control_scope():
        latest = SchemaSlot.objects.filter(built_at__isnull=False).order_by("-built_at")[:10]
        times = latest.values_list("created_at", "built_at")
        took = [(built - began).total_seconds() for began, built in times if built]
    return round(median(took), 1) if took else GUESSED_SECONDS


def read_stamp(schema: str) -> str:
    """Return the schema's stamp of this moment."""
    with control_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT gate.stamp(%s)", [schema])
        return str(cursor.fetchone()[0])


def announce_slot(*, run_id: UUID | None, now: datetime) -> SchemaSlot:
    """Write the new schema's name into the ledger before it exists: what is not there is never touched (ISO-31)."""
    with control_scope():
        return SchemaSlot.objects.create(
            schema_name=new_schema_name(), release=current_release(), created_at=now, claimed_by_run=run_id
        )


def make_slot(slot: SchemaSlot, *, crash_within: str) -> bool:
    """Make the announced schema, ready or claimed; returns whether the release's template had to be built first.

    What a killed maker left of the schema is removed first (ISO-32).
    """
    name = slot.schema_name
    blueprint, template_built = ensure_template(timezone.now())
    # The killed maker's statement may still be running: the lock is free when its connection has ended.
    with owner_scope(), hold_session_lock(f"schema:{name}"):
        drop_schema(name)
        stamp = replay(blueprint, name)
    crash_point(crash_within)
    announced = SchemaSlot.objects.filter(
        schema_name=name, claimed_by_run=slot.claimed_by_run, state=SchemaSlot.State.BUILDING
    )
    with control_scope():
        announced.update(
            state=SchemaSlot.State.CLAIMED if slot.claimed_by_run else SchemaSlot.State.READY,
            built_at=timezone.now(),
            fingerprint=blueprint.fingerprint,
            stamp=stamp,
            release=current_release(),
        )
    return template_built
