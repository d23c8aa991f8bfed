"""The template of this code's release: built once by real migrations, kept as text, replayed ever after."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from infra.crash import crash_point, declare_crash_points
from provisioning.blueprint import Blueprint, compile_blueprint, replay
from provisioning.fence import hold_session_lock
from provisioning.models import SchemaTemplate
from provisioning.schemas import create_schema, current_release, drop_schema, migrate_schema, new_schema_name
from tenants.scope import control_scope, owner_scope

WITHIN = "template.within"
declare_crash_points(WITHIN)


def find_blueprint(release: str) -> Blueprint | None:
    """Return a release's blueprint if its template has been built."""
    with control_scope():
        found = SchemaTemplate.objects.filter(release=release, built_at__isnull=False).first()
    return Blueprint(found.ddl, found.fingerprint, found.relations) if found else None


def is_newest(release: str) -> bool:
    """Whether no template is younger than this release's: old code must not judge what newer code made."""
    with control_scope():
        newest = SchemaTemplate.objects.filter(built_at__isnull=False).order_by("-built_at", "release").first()
    return newest is None or newest.release == release


def ensure_template(now: datetime) -> tuple[Blueprint, bool]:
    """Return this release's blueprint and whether it had to be built now.

    One process builds; the others wait for it. The schema it is compiled from exists only meanwhile.
    """
    release = current_release()
    found = find_blueprint(release)
    if found:
        return found, False
    with owner_scope(), hold_session_lock(f"template:{release}"):
        found = find_blueprint(release)
        if found:
            return found, False
        return _build(release, now), True


def _build(release: str, now: datetime) -> Blueprint:
    # The name is in the ledger before the schema exists, so what a killed builder left is ours to remove (ISO-32).
    with control_scope():
        draft, _ = SchemaTemplate.objects.get_or_create(
            release=release, defaults={"schema_name": new_schema_name(), "created_at": now}
        )
    name = draft.schema_name
    drop_schema(name)
    create_schema(name)
    crash_point(WITHIN)
    migrate_schema(name)
    blueprint = compile_blueprint(name)
    drop_schema(name)
    replay(blueprint, name)  # a text that does not make what it was made from must fail here, not at a sign-up
    drop_schema(name)
    with control_scope(), transaction.atomic():
        SchemaTemplate.objects.filter(release=release, built_at=None).update(
            ddl=blueprint.ddl, fingerprint=blueprint.fingerprint, relations=blueprint.relations, built_at=now
        )
    return blueprint
