"""The schemas: what is in them, whether they are what their release says, and where the fleet stands."""

from __future__ import annotations

from collections import defaultdict

from django.db import connection

from console.doctor.base import Examination, Finding, check, failed, not_applicable, ok, some, warning
from provisioning.budget import measure
from provisioning.fleet import behind
from provisioning.models import MigrationState, SchemaSlot, SchemaTemplate
from provisioning.schemas import current_release, fingerprint_of
from tenants.checks import MAX_RELATIONS, MAX_TABLES
from tenants.models import Tenant
from tenants.scope import SCHEMA_NAME, control_scope

ALIVE = (SchemaSlot.State.READY, SchemaSlot.State.CLAIMED)

# Few names of public, each looked up by the index on names: as quick among ten thousand schemas as among ten.
_BOTH_HALVES = """
SELECT c.relname, min(n.nspname), count(*) FROM pg_class p
  JOIN pg_class c ON c.relname = p.relname AND c.relnamespace <> p.relnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname ~ '^t_[0-9a-f]{12,32}$'
 WHERE p.relnamespace = 'public'::regnamespace AND p.relkind IN ('r', 'p', 'v', 'm')
   AND p.relname <> 'django_migrations'
 GROUP BY c.relname ORDER BY c.relname
"""
_MISSING = """
SELECT s.schema_name FROM provisioning_schemaslot s
 WHERE s.state IN ('ready', 'claimed') AND NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = s.schema_name)
 ORDER BY 1
"""
_UNKNOWN = """
SELECT n.nspname FROM pg_namespace n
 WHERE n.nspname ~ '^t_[0-9a-f]{12,32}$'
   AND NOT EXISTS (SELECT FROM provisioning_schemaslot s WHERE s.schema_name = n.nspname AND s.state <> 'dropped')
   AND NOT EXISTS (SELECT FROM provisioning_schematemplate t WHERE t.schema_name = n.nspname)
   AND NOT EXISTS (SELECT FROM provisioning_migrationplan p WHERE p.schema_name = n.nspname)
 ORDER BY 1
"""


def _names(query: str) -> list[str]:
    with control_scope(), connection.cursor() as cursor:
        cursor.execute(query)
        return [str(row[0]) for row in cursor.fetchall()]


@check("schemas.halves", "halves share no table", proves="no table name is in public and in a company (ISO-09)")
def halves(examination: Examination) -> Finding:
    """Compare the tables that exist (Decided 4)."""
    with control_scope(), connection.cursor() as cursor:
        cursor.execute(_BOTH_HALVES)
        rows = cursor.fetchall()
    if rows:
        where = some(f"{table} (in {count} schemas, {schema} for one)" for table, schema, count in rows)
        return failed(f"Tables exist in public and in companies' schemas: {where}. Rename or drop one of each pair.")
    return ok("No table is in both halves.")


@check("schemas.ledger", "ledger knows every schema", proves="each schema has its row, each row its schema (ISO-31)")
def ledger(examination: Examination) -> Finding:
    """Compare the ledger with the catalogue."""
    missing, unknown = _names(_MISSING), _names(_UNKNOWN)
    if missing:
        return failed(f"Schemas of the ledger do not exist: {some(missing)}. Restore them from a backup.")
    if unknown:
        return warning(f"Schemas exist that the ledger does not know: {some(unknown)}. Find out who made them.")
    return ok("Ledger and catalogue agree.")


@check("schemas.budget", "a company fits its budget", proves="tables, relations and keys are within Decided 14")
def budget(examination: Examination) -> Finding:
    """Count what the newest schema of this release holds."""
    with control_scope():
        newest = SchemaSlot.objects.filter(state__in=ALIVE, release=current_release()).order_by("-built_at").first()
    if newest is None:
        return not_applicable("No schema of this release exists yet.")
    found = measure(newest.schema_name)
    count = (
        f"{found.tables} of {MAX_TABLES} tables, {found.relations} of {MAX_RELATIONS} relations,"
        f" {found.bytes / 1_000_000:.1f} MB when built"
    )
    if problems := found.problems():
        return failed(f"A company's schema has {some(problems, 5)} ({count}). Merge or drop tables and indexes.")
    return ok(f"{count}.")


@check("schemas.fingerprints", "schemas are as their release", proves="each stored fingerprint is the release's own")
def fingerprints(examination: Examination) -> Finding:
    """Compare what the ledger, the routing table and the template of each release say; --deep computes every one."""
    with control_scope():
        slots = list(
            SchemaSlot.objects.filter(state__in=ALIVE)
            .order_by("schema_name")
            .values_list("schema_name", "release", "fingerprint")
        )
        wanted = dict(SchemaTemplate.objects.exclude(fingerprint="").values_list("release", "fingerprint"))
        routed = dict(Tenant.objects.exclude(schema_fingerprint="").values_list("schema_name", "schema_fingerprint"))
    common = _most_common(slots)
    wrong = [
        name
        for name, release, digest in slots
        if digest != wanted.get(release, common[release]) or routed.get(name, digest) != digest
    ]
    if examination.deep:
        wrong = sorted({*wrong, *_changed(examination, {name: digest for name, _, digest in slots})})
    if wrong:
        return failed(
            f"Schemas are not as their release: {some(wrong)}. Compare them with a new one (pg_dump --schema-only -n …)"
            " and put right what was changed by hand."
        )
    how = "computed" if examination.deep else "by the ledger; --deep computes each"
    return ok(f"{len(slots)} schemas are as their release ({how}).")


def _most_common(slots: list[tuple[str, str, str]]) -> dict[str, str]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for _, release, digest in slots:
        counts[release][digest] += 1
    return {release: max(found, key=lambda digest: found[digest]) for release, found in counts.items()}


def _changed(examination: Examination, stored: dict[str, str]) -> list[str]:
    changed = []
    with examination.as_owner() as conn:
        conn.execute("SET statement_timeout = 0")
        present = {name for (name,) in conn.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_'")}
        for name, digest in stored.items():
            if name in present and SCHEMA_NAME.match(name):
                ((found,),) = conn.execute(fingerprint_of(name)).fetchall()
                if found != digest:
                    changed.append(name)
    return changed


@check("schemas.releases", "fleet is at this release", proves="no roll-out has stopped half-way")
def releases(examination: Examination) -> Finding:
    """Count the schemas at other releases and those on which a roll-out stands."""
    left = sum(behind().values())
    with control_scope():
        stuck = MigrationState.objects.filter(release=current_release(), state=MigrationState.State.FAILED)
        names = list(stuck.order_by("schema_name").values_list("schema_name", flat=True))
    if names:
        return failed(
            f"The release failed on {some(names)}. `porchlight migrations status` shows the statement; put it right,"
            " then `migrations retry` and `migrations run`."
        )
    if left:
        return warning(f"{left} schemas are at another release. Run `porchlight migrations run`.")
    return ok(f"Every schema is at release {current_release()}.")
