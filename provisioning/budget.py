"""How much of the catalogue one company takes, and what its tables must not hold (Decided 14, OPS-21)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from provisioning.schemas import checked
from tenants.checks import MAX_RELATIONS, MAX_TABLES
from tenants.scope import owner_scope

# Django keeps its own list of applied migrations in each schema; its one serial key is nobody's business.
EXEMPT = "django_migrations"
# One row for the whole company, and counters whose key is what they count: nothing that could collide in a merge.
NATURAL_KEYS = ("company_companyprofile", "core_numbersequence")

_BUDGET = """
WITH relation AS MATERIALIZED (
    SELECT c.* FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
     WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = %(schema)s::regnamespace
       AND d.classid = 'pg_class'::regclass
), indexed AS (
    SELECT x.indexrelid FROM pg_index x JOIN relation r ON r.oid = x.indrelid
)
SELECT (SELECT count(*) FROM relation WHERE relkind IN ('r', 'p')),
       (SELECT count(*) FROM relation) + (SELECT count(*) FROM indexed)
         + 2 * (SELECT count(*) FROM relation WHERE reltoastrelid <> 0),
       (SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM relation WHERE relkind = 'r')::bigint,
       ARRAY(SELECT r.relname || '.' || a.attname FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid
              WHERE a.attidentity <> '' AND r.relname <> %(exempt)s ORDER BY 1),
       ARRAY(SELECT relname::text FROM relation WHERE relkind = 'S' AND relname <> %(exempt)s || '_id_seq' ORDER BY 1),
       ARRAY(SELECT r.relname::text FROM relation r
              WHERE r.relkind = 'r' AND r.relname <> ALL(%(natural)s) AND NOT EXISTS (
              SELECT FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = ANY(k.conkey)
               WHERE k.conrelid = r.oid AND k.contype = 'p' GROUP BY k.oid
              HAVING bool_and(a.atttypid = 'uuid'::regtype)) ORDER BY 1)
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one schema holds."""

    tables: int
    relations: int
    bytes: int
    identity_columns: tuple[str, ...]
    sequences: tuple[str, ...]
    tables_without_uuid_key: tuple[str, ...]

    def problems(self) -> list[str]:
        """Return a sentence's end for everything that is over the budget."""
        found = []
        if self.tables > MAX_TABLES:
            found.append(f"{self.tables} tables, more than {MAX_TABLES}")
        if self.relations > MAX_RELATIONS:
            found.append(f"{self.relations} relations, more than {MAX_RELATIONS}")
        found += [f"the identity column {name}" for name in self.identity_columns]
        found += [f"the sequence {name}" for name in self.sequences]
        found += [f"the table {name}, whose key is no UUID" for name in self.tables_without_uuid_key]
        return found


def measure(schema: str) -> Budget:
    """Count what a schema holds: tables, and all relations with indexes and TOAST; its size on disk in bytes."""
    with owner_scope(), connection.cursor() as cursor:
        cursor.execute(_BUDGET, {"schema": checked(schema), "exempt": EXEMPT, "natural": [EXEMPT, *NATURAL_KEYS]})
        tables, relations, size, identities, sequences, keys = cursor.fetchone()
    return Budget(tables, relations, size, tuple(identities), tuple(sequences), tuple(keys))
