"""What a new release asks of a schema: rehearsed once, kept as statements, replayed everywhere (platform.md 3.7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.migrations import Migration, RunPython, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.utils.module_loading import import_string

from infra.crash import crash_point, declare_crash_points
from provisioning.blueprint import SELF, Blueprint, compile_blueprint, replay
from provisioning.fence import hold_session_lock
from provisioning.fold import fold_constraints
from provisioning.models import MigrationPlan, SchemaSlot
from provisioning.proofs import digest_of_tables, read_sums, touched_between
from provisioning.schemas import (
    current_release,
    drop_schema,
    fingerprint,
    new_schema_name,
    pending_migrations,
    table_grants,
    tenant_grants,
)
from provisioning.templates import ensure_template, find_blueprint
from tenants.changes import PER_TENANT
from tenants.scope import control_scope, owner_scope
from tenants.tasks import TenantTask

WITHIN = "plan.within"
declare_crash_points(WITHIN)


class PlanRefused(Exception):
    """A migration cannot be rolled out as statements; the text says which and what to do."""


def find_plan(from_release: str) -> MigrationPlan | None:
    """Return the plan from a release to this code's if it has been made."""
    with control_scope():
        return MigrationPlan.objects.filter(
            from_release=from_release, to_release=current_release(), made_at__isnull=False
        ).first()


def ensure_plan(from_release: str, now: datetime) -> MigrationPlan:
    """Return the plan from a release to this code's, made now if need be; raises PlanRefused.

    The pending migrations really run, once, on an empty schema of the old release; what they execute, and the rights on
    what they make, is the plan. It is tried on another one, and what comes out must be the new release's template.
    """
    found = find_plan(from_release)
    if found:
        return found
    wanted, _ = ensure_template(now)
    with owner_scope(), hold_session_lock(f"plan:{from_release}:{current_release()}"):
        found = find_plan(from_release)
        if found:
            return found
        with control_scope():
            draft, _ = MigrationPlan.objects.get_or_create(
                from_release=from_release,
                to_release=current_release(),
                defaults={"schema_name": new_schema_name(), "created_at": now},
            )
        _rehearse(draft, wanted.fingerprint)
        draft.made_at = now
        with control_scope():
            draft.save()
    return draft


def _rehearse(plan: MigrationPlan, wanted: str) -> None:
    """Fill the plan from rehearsals on a schema that exists only meanwhile; raises PlanRefused."""
    name = plan.schema_name
    blueprint = find_blueprint(plan.from_release) or compile_blueprint(_one_of(plan.from_release))
    try:
        _make_afresh(blueprint, name)
        crash_point(WITHIN)
        before = _tables_of(name)
        with owner_scope(name):
            executor, pending = pending_migrations()
            plan.tasks = list(_tasks(pending))
            plan.migrations = [[migration.app_label, migration.name] for migration in pending]
            recorded = _record(executor, pending)
        if any(name in statement for statement in recorded):
            raise PlanRefused("A migration names the schema it runs in; its statements would not fit any other.")
        recorded += table_grants(SELF, _tables_of(name) - before)
        for statements in _ways_to_say(recorded):
            _make_afresh(blueprint, name)
            if _replay(plan, statements, wanted):
                return
    finally:
        drop_schema(name)
    raise PlanRefused(
        "A migrated schema would not equal one that is built anew. A migration depends on what it finds, or the "
        "schemas of the old release were changed by hand."
    )


def _make_afresh(blueprint: Blueprint, name: str) -> None:
    drop_schema(name)
    replay(blueprint, name)


def _tables_of(schema: str) -> set[str]:
    with owner_scope(schema), connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))


def _ways_to_say(recorded: list[str]) -> Iterator[list[str]]:
    """Return what may do the same as the recorded statements, the cheapest first; each is tried."""
    folded = fold_constraints(recorded)
    if folded != recorded:
        yield folded
    yield recorded
    # To renew the rights on all tables would be most of the work on each schema; only what needs it gets it.
    yield [*recorded, *tenant_grants(SELF)]


def _replay(plan: MigrationPlan, statements: list[str], wanted: str) -> bool:
    """Do to the schema what the fleet will do; whether it comes out as wanted, which fills the plan."""
    name = plan.schema_name
    before = read_sums(name)
    try:
        with owner_scope(name), transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.replace(SELF, name))
    except DatabaseError:
        return False
    if fingerprint(name) != wanted:
        return False
    plan.statements, plan.fingerprint = statements, wanted
    plan.touched = touched_between(before, read_sums(name))
    plan.touched_fingerprint = digest_of_tables(name, plan.touched) if plan.touched else ""
    return True


def _one_of(release: str) -> str:
    with control_scope():
        slots = SchemaSlot.objects.filter(release=release, state__in=[SchemaSlot.State.READY, SchemaSlot.State.CLAIMED])
        return slots.order_by("schema_name").values_list("schema_name", flat=True)[0]


def _record(executor: Any, pending: list[Migration]) -> list[str]:
    """Run the migrations and return every statement that they executed."""

    class Recorder(connection.SchemaEditorClass):  # type: ignore[name-defined, misc]
        def execute(self, sql: Any, params: Any = ()) -> None:
            text = str(sql)
            statements.append(text % tuple(map(self.quote_value, params)) if params is not None else text)
            super().execute(sql, params)

    statements: list[str] = []
    state = executor._create_project_state(with_applied_migrations=True)
    for migration in pending:
        if not migration.atomic:
            raise PlanRefused(f"{migration} is not atomic. Split it: what runs per schema is one transaction.")
        with Recorder(connection, atomic=True) as editor:
            state = migration.apply(state, editor)
            executor.recorder.record_applied(migration.app_label, migration.name)
    return [statement.rstrip().rstrip(";") for statement in statements]


def _tasks(pending: Iterable[Migration]) -> Iterator[str]:
    """Return the declared tasks of all data migrations; raises PlanRefused for one that declares none."""
    for migration in pending:
        for operation in _flat(migration.operations):
            if not isinstance(operation, RunPython):
                continue
            path = operation.hints.get(PER_TENANT)
            if path is None or operation.code is not RunPython.noop:
                raise PlanRefused(
                    f"{migration} runs Python. Say tenant_change('path.of.a.tenant_task') of tenants.changes instead: "
                    "the task is run for each company after its schema is migrated, and may be run again."
                )
            if not isinstance(import_string(path), TenantTask):
                raise PlanRefused(f"{path}, which {migration} names, is not a tenant task.")
            yield path


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation
