"""A fleet that stands at the release before this one: everything but one app's latest migration."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db import transaction
from django.db.migrations import Migration, RunSQL
from django.utils import timezone

from provisioning.blueprint import Blueprint, compile_blueprint, replay
from provisioning.models import SchemaSlot, SchemaTemplate
from provisioning.schemas import create_schema, drop_schema, new_schema_name, pending_migrations, settle_tenant_grants
from tenants.models import Plan, Tenant
from tenants.scope import control_scope, owner_scope

# It alters a table that was there before.
CHANGE = ("payments", "0002_attempt_request")


def make_fleet(*, companies: int, waiting: int = 0, without: str = "") -> tuple[list[str], list[str]]:
    """Make schemas of yesterday's release; returns those of companies and those that wait for one.

    `without` is the app whose latest migration is missing; by default CHANGE is.
    """
    release, blueprint = yesterday(without)
    made = []
    for number in range(companies + waiting):
        name = new_schema_name()
        stamp = replay(blueprint, name)
        made.append(name)
        with control_scope():
            SchemaSlot.objects.create(
                schema_name=name,
                state="claimed" if number < companies else "ready",
                claimed_by_run=uuid4() if number < companies else None,
                release=release,
                fingerprint=blueprint.fingerprint,
                stamp=stamp,
                created_at=timezone.now(),
                built_at=timezone.now(),
            )
    for number, name in enumerate(sorted(made[:companies])):
        _give(name, f"company-{number}", release, blueprint.fingerprint)
    return sorted(made[:companies]), sorted(made[companies:])


def _give(schema: str, slug: str, release: str, fingerprint: str) -> None:
    with control_scope():
        Tenant.objects.create(
            slug=slug,
            display_name=slug,
            plan=Plan.objects.get(code="porch"),
            owner_email=f"owner@{slug}.example",
            created_at=timezone.now(),
            first_activated_at=timezone.now(),
            lifecycle=Tenant.Lifecycle.ACTIVE,
            schema_name=schema,
            schema_release=release,
            schema_fingerprint=fingerprint,
        )


def yesterday(without: str) -> tuple[str, Blueprint]:
    """Return yesterday's release and what its schemas are: really migrated, kept as a deployment keeps it."""
    name = new_schema_name()
    create_schema(name)
    with owner_scope(name):
        executor, pending = pending_migrations()
        missing = latest(pending, without)
        executor.migrate([(each.app_label, each.name) for each in pending if each not in missing])
        with transaction.atomic():
            settle_tenant_grants(name)
    blueprint = compile_blueprint(name)
    drop_schema(name)
    release = "yesterday"
    with control_scope():
        SchemaTemplate.objects.create(
            release=release,
            schema_name=name,
            ddl=blueprint.ddl,
            fingerprint=blueprint.fingerprint,
            relations=blueprint.relations,
            created_at=timezone.now(),
            built_at=timezone.now() - timedelta(days=1),
        )
    return release, blueprint


def latest(pending: list[Migration], app: str) -> list[Migration]:
    """Return the app's latest change, by default CHANGE, and all that needs it.

    Migrations of nothing but SQL do not count: they may find nothing to do.
    """
    if app:
        changing = [each for each in pending if not all(isinstance(step, RunSQL) for step in each.operations)]
        chosen = next(each for each in reversed(changing) if each.app_label == app)
    else:
        chosen = next(each for each in pending if (each.app_label, each.name) == CHANGE)
    missing = [chosen]
    for each in pending:
        names = {(other.app_label, other.name) for other in missing}
        if names & set(each.dependencies):
            missing.append(each)
    return missing
