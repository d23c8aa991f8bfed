"""What a new release asks of a schema: rehearsed once, kept as statements, replayed everywhere (platform.md 3.7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.migrations import Migration, RunPython, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.utils.module_loading import import_string

from infra.crash import crash_point, declare_crash_points
from provisioning.blueprint import SELF, compile_blueprint, replay
from provisioning.fence import hold_session_lock
from provisioning.models import MigrationPlan, SchemaSlot
from provisioning.schemas import (
    current_release,
    drop_schema,
    fingerprint,
    new_schema_name,
    pending_migrations,
    settle_tenant_grants,
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

    The pending migrations really run, once, on an empty schema of the old release; what they execute is the plan, and
    what comes out must be the new release's template.
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
    """Fill the plan from a rehearsal on a schema that exists only meanwhile."""
    name = plan.schema_name
    blueprint = find_blueprint(plan.from_release) or compile_blueprint(_one_of(plan.from_release))
    drop_schema(name)
    replay(blueprint, name)
    crash_point(WITHIN)
    try:
        with owner_scope(name):
            executor, pending = pending_migrations()
            plan.tasks = list(_tasks(pending))
            plan.migrations = [[migration.app_label, migration.name] for migration in pending]
            plan.statements = _record(executor, pending)
        plan.fingerprint = fingerprint(name)
        if plan.fingerprint != wanted:
            # New tables need their rights; where there are none, renewing all rights would be most of the work.
            with owner_scope(name), transaction.atomic():
                settle_tenant_grants(name)
            plan.statements += tenant_grants(SELF)
            plan.fingerprint = fingerprint(name)
    finally:
        drop_schema(name)
    if any(name in statement for statement in plan.statements):
        raise PlanRefused("A migration names the schema it runs in; its statements would not fit any other.")
    if plan.fingerprint != wanted:
        raise PlanRefused(
            "A migrated schema would not equal one that is built anew. A migration depends on what it finds, or the "
            "schemas of the old release were changed by hand."
        )


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
