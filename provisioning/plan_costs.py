"""What a plan's statements take hold of in each schema, and how many rows stand behind it (platform.md 3.7)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db import connection

from provisioning.models import MigrationPlan
from tenants.scope import owner_scope

# The first that fits; what a statement's beginning says is what PostgreSQL's manual says it locks.
LOCKS = (
    (r"ALTER TABLE .* VALIDATE CONSTRAINT", "share update exclusive"),
    (r"ALTER TABLE .* ADD CONSTRAINT .* FOREIGN KEY", "share row exclusive, on both tables"),
    (r"CREATE (UNIQUE )?INDEX CONCURRENTLY", "share update exclusive"),
    (r"CREATE (UNIQUE )?INDEX", "share: nobody writes"),
    (r"CREATE TABLE .* REFERENCES ", "share row exclusive, on the tables it refers to"),
    (r"CREATE TABLE", "none: the table is new"),
    (r"ALTER |DROP |TRUNCATE ", "access exclusive: nobody reads or writes"),
    (r"UPDATE |DELETE |INSERT ", "row exclusive"),
)
_TABLE = re.compile(r'\b(?:TABLE(?: ONLY)?|ON|UPDATE|INTO|FROM) (?:IF EXISTS )?"?(\w+)"?', re.IGNORECASE)
_ROWS = """
SELECT c.relname, sum(greatest(c.reltuples, 0))::bigint, max(greatest(c.reltuples, 0))::bigint
  FROM provisioning_schemaslot s JOIN pg_namespace n ON n.nspname = s.schema_name
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = ANY(%s) AND c.relkind = 'r'
 WHERE s.release = %s AND s.state IN ('ready', 'claimed') GROUP BY c.relname
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """One statement: its lock, its table, and the server's own estimate of rows in all schemas and in the largest."""

    statement: str
    lock: str
    table: str
    rows: int
    largest: int


def lock_of(statement: str) -> str:
    """Return the lock that a statement takes, in words; "none" for what locks no table."""
    text = " ".join(statement.split())
    return next((lock for begins, lock in LOCKS if re.match(begins, text, re.IGNORECASE)), "none")


def costs_of(plan: MigrationPlan) -> list[Cost]:
    """Return what each statement of a plan takes; reads the catalogue, touches no company."""
    tables = [_table_of(statement) for statement in plan.statements]
    with owner_scope(), connection.cursor() as cursor:
        cursor.execute(_ROWS, [sorted(set(tables)), plan.from_release])
        rows = {name: (total, largest) for name, total, largest in cursor.fetchall()}
    return [
        Cost(statement, lock_of(statement), table, *rows.get(table, (0, 0)))
        for statement, table in zip(plan.statements, tables, strict=True)
    ]


def _table_of(statement: str) -> str:
    found = _TABLE.search(statement)
    return found[1] if found else ""
