"""Brings one schema after the other to the new release, each in one round trip, one transaction (platform.md 3.7)."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from infra.crash import crash_point, declare_crash_points
from provisioning.fence import direct_connection
from provisioning.fleet_steps import FOUND_MIGRATED, cautious_steps, quick_steps
from provisioning.models import MigrationPlan
from provisioning.proofs import FUNCTIONS
from provisioning.schemas import fingerprint_of
from tenants.context import serving

log = logging.getLogger("porchlight.provisioning")

BEFORE, AFTER, RECORDED = "fleet.before_act", "fleet.after_act", "fleet.after_record"
declare_crash_points(BEFORE, AFTER, RECORDED)

MOST_ATTEMPTS = 8
RECYCLE_AFTER = 200
# So many are taken and recorded at a time; whoever stumbles gives back what it has not begun.
BATCH = 8
PASSING = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
)

_TAKE = """
UPDATE provisioning_migrationstate t SET state = 'running', attempts = t.attempts + 1
  FROM provisioning_schemaslot l
 WHERE l.schema_name = t.schema_name AND t.id IN (
              SELECT s.id FROM provisioning_migrationstate s JOIN provisioning_migrationwave w ON w.id = s.wave_id
               WHERE w.id = %s AND w.state = 'running' AND s.state = 'pending' AND s.next_at <= now()
               ORDER BY s.next_at LIMIT %s FOR UPDATE OF s SKIP LOCKED)
RETURNING t.id, t.schema_name, t.from_release, t.attempts, l.stamp
"""
_NEXT = """
SELECT extract(epoch FROM min(s.next_at) - now())::float FROM provisioning_migrationstate s
  JOIN provisioning_migrationwave w ON w.id = s.wave_id
 WHERE w.id = %s AND w.state = 'running' AND s.state = 'pending'
"""
_DONE = """
WITH done AS (
    UPDATE provisioning_migrationstate s SET state = 'done', fingerprint = %(fingerprint)s, finished_at = now(),
           duration_ms = f.took, statement = '', error = ''
      FROM unnest(%(ids)s::uuid[], %(took)s::int[], %(stamps)s::text[]) AS f (id, took, stamp)
     WHERE s.id = f.id AND s.state = 'running' RETURNING s.schema_name, f.stamp
), tenant AS (
    UPDATE tenants_tenant SET schema_release = %(release)s, schema_fingerprint = %(fingerprint)s
     WHERE schema_name IN (SELECT schema_name FROM done)
)
UPDATE provisioning_schemaslot l SET release = %(release)s, fingerprint = %(fingerprint)s, stamp = done.stamp
  FROM done WHERE l.schema_name = done.schema_name
"""
_GIVE_BACK = """
UPDATE provisioning_migrationstate SET state = 'pending', attempts = attempts - 1
 WHERE id = ANY(%s) AND state = 'running'
"""
_AGAIN = """
UPDATE provisioning_migrationstate SET state = 'pending', statement = %s, error = %s,
       next_at = now() + make_interval(secs => %s) WHERE id = %s AND state = 'running'
"""
_FAILED = """
WITH failed AS (
    UPDATE provisioning_migrationstate SET state = 'failed', statement = %(statement)s, error = %(error)s
     WHERE id = %(id)s AND state = 'running' RETURNING wave_id
)
UPDATE provisioning_migrationwave w SET state = 'stopped'
 WHERE w.id IN (SELECT wave_id FROM failed) AND w.state = 'running' AND w.budget <= 1 + (
       SELECT count(*) FROM provisioning_migrationstate s WHERE s.wave_id = w.id AND s.state = 'failed')
"""
_COMPANY = "SELECT id FROM tenants_tenant WHERE schema_name = %s"


class Failed(Exception):
    """A schema did not take a statement; `may_pass` says that waiting may help."""

    def __init__(self, statement: str, error: str, *, may_pass: bool) -> None:
        super().__init__(error)
        self.statement = statement
        self.error = error
        self.may_pass = may_pass


class Taken(NamedTuple):
    """A schema that this worker has to migrate."""

    id: UUID
    schema: str
    from_release: str
    attempts: int
    stamp: str


def work_through(wave_id: UUID, plans: Mapping[str, MigrationPlan]) -> None:
    """Migrate schemas of the wave until none is left or the wave is paused or stopped; runs in a thread of its own."""
    try:
        while _work(wave_id, plans):
            continue
    finally:
        connection.close()


def _work(wave_id: UUID, plans: Mapping[str, MigrationPlan]) -> bool:
    """Work with one connection until it has met enough schemas; False when nothing is left."""
    met, batch = 0, 1
    with direct_connection("none") as conn:
        try:
            # The log keeps its order: what a crash of the server forgets is a tail, and that is simply done again.
            conn.execute("SET synchronous_commit = off")
            conn.execute(FUNCTIONS)
            while met < RECYCLE_AFTER and not conn.closed:
                taken = [Taken(*row) for row in conn.execute(_TAKE, [wave_id, batch]).fetchall()]
                if not taken:
                    ((wait,),) = conn.execute(_NEXT, [wave_id]).fetchall()
                    if wait is None:
                        return False
                    time.sleep(min(max(wait, 0.02), 1.0))
                # One first, so that a plan that fails everywhere is met by few.
                batch = min(2 * batch, BATCH) if _migrate_batch(conn, taken, plans) else 1
                met += len(taken)
        except psycopg.OperationalError:
            if not conn.closed:
                raise
            # The server has ended this connection; whether there is another one shows when it is asked for.
            log.warning("a connection of the roll-out was ended")
    return True


def _migrate_batch(conn: psycopg.Connection[Any], taken: list[Taken], plans: Mapping[str, MigrationPlan]) -> bool:
    """Migrate what was taken and record it; False when one failed, and what came after it was given back."""
    done: list[tuple[UUID, int, str]] = []
    failed: tuple[Taken, Failed] | None = None
    left = list(taken)
    while left and failed is None:
        each = left.pop(0)
        plan = plans[each.from_release]
        crash_point(BEFORE)
        began = time.monotonic()
        try:
            stamp = _migrate(conn, each, plan)
            crash_point(AFTER)
            _run_tasks(conn, each.schema, plan)
            done.append((each.id, int((time.monotonic() - began) * 1000), stamp))
        except Failed as error:
            failed = each, error
    if done:
        plan = next(iter(plans.values()))  # all of them lead to one release, and to one fingerprint
        facts = dict(zip(("ids", "took", "stamps"), map(list, zip(*done, strict=True)), strict=True))
        _write(conn, _DONE, facts | {"fingerprint": plan.fingerprint, "release": plan.to_release})
        crash_point(RECORDED)
    if failed:
        _record_failure(conn, *failed)
    if left:
        _write(conn, _GIVE_BACK, [[each.id for each in left]])
    if not conn.closed:
        conn.execute("SELECT pg_advisory_unlock_all()")
    return failed is None


def _record_failure(conn: psycopg.Connection[Any], taken: Taken, failed: Failed) -> None:
    if failed.may_pass and taken.attempts < MOST_ATTEMPTS:
        wait = random.uniform(0.2, 0.6) * taken.attempts  # noqa: S311  so that those who met do not meet again
        _write(conn, _AGAIN, [failed.statement, failed.error, wait, taken.id])
    else:
        _write(conn, _FAILED, {"id": taken.id, "statement": failed.statement, "error": failed.error})


def _write(conn: psycopg.Connection[Any], statement: str, values: Any) -> None:
    """Write into the ledger, on another connection when the server has ended this one; may be written twice."""
    try:
        if not conn.closed:
            conn.execute(statement, values)
            return
    except psycopg.OperationalError:
        if not conn.closed:
            raise
    with direct_connection("none") as other:
        other.execute(statement, values)


def _migrate(conn: psycopg.Connection[Any], taken: Taken, plan: MigrationPlan) -> str:
    """Run the plan in one round trip; returns the schema's stamp, empty when it is unknown. Raises Failed."""
    last = taken.attempts >= MOST_ATTEMPTS
    try:
        if taken.stamp and plan.touched:
            return _send(conn, quick_steps(taken.schema, taken.stamp, plan))
    except psycopg.Error as error:
        _give_way(conn, error, last=last)
        # It is not as the ledger says, or refuses something: the long way proves all of it, or says what is wrong.
    return _migrate_unknown(conn, taken.schema, plan, last=last)


def _migrate_unknown(conn: psycopg.Connection[Any], schema: str, plan: MigrationPlan, *, last: bool) -> str:
    """Migrate a schema that may have been touched, or migrated already; when it refuses, find out where."""
    steps = cautious_steps(schema, plan)
    try:
        _send(conn, steps)
    except psycopg.Error as error:
        _give_way(conn, error, last=last)
        if error.sqlstate == FOUND_MIGRATED:
            _prove(conn, schema, plan)
        else:
            _step_by_step(conn, steps)
    return ""


def _give_way(conn: psycopg.Connection[Any], error: psycopg.Error, *, last: bool) -> None:
    """Raise Failed when there is nobody to ask any more, or when waiting may help."""
    if conn.closed or (isinstance(error, PASSING) and not last):
        raise Failed("", _said(error), may_pass=True) from error


def _send(conn: psycopg.Connection[Any], steps: list[str]) -> str:
    """Send all steps as one message, which is one transaction of its own; returns the last one's value, if any."""
    cursor = conn.execute(";\n".join(steps))
    while cursor.nextset():
        continue
    row = cursor.fetchone() if cursor.description else None
    return str(row[0]) if row else ""


def _step_by_step(conn: psycopg.Connection[Any], steps: list[str]) -> None:
    """Run the steps one by one in one transaction; raises Failed with the one that was refused."""
    step = ""
    try:
        with conn.transaction():
            for step in steps:
                conn.execute(step)
    except psycopg.Error as error:
        raise Failed(step, _said(error), may_pass=conn.closed or isinstance(error, PASSING)) from error


def _prove(conn: psycopg.Connection[Any], schema: str, plan: MigrationPlan) -> None:
    """Accept a schema that was migrated before the ledger could say so; raises Failed when it is something else."""
    ((found,),) = conn.execute(fingerprint_of(schema)).fetchall()
    if found != plan.fingerprint:
        raise Failed("", "The schema is recorded as migrated but is not as its release.", may_pass=False)


def _run_tasks(conn: psycopg.Connection[Any], schema: str, plan: MigrationPlan) -> None:
    """Run the release's data tasks for the company, if the schema has one; each may be run again."""
    company = conn.execute(_COMPANY, [schema]).fetchone() if plan.tasks else None
    if company is None:
        return
    for path in plan.tasks:
        try:
            with serving(company[0], timezone.now()) as context:
                import_string(path)(context=context)
        except Exception as error:
            raise Failed(path, repr(error), may_pass=False) from error


def _said(error: psycopg.Error) -> str:
    return f"{type(error).__name__}: {str(error).strip()}"[:2000]
