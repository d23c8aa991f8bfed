"""Looks at schemas from outside, as the server's superuser, with questions of its own."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connection

from tests import databases

CATALOGUE = """
SELECT 'column', c.relname, a.attnum::text, a.attname, format_type(a.atttypid, a.atttypmod),
       concat_ws(' ', a.attnotnull, a.attidentity, a.attgenerated, a.attstorage, a.attcollation::regcollation),
       pg_get_expr(d.adbin, d.adrelid)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'r'
UNION ALL
SELECT 'constraint', k.conrelid::regclass::text, k.conname, k.contype::text, k.conindid::regclass::text,
       concat_ws(' ', k.condeferrable, k.condeferred, k.convalidated), pg_get_constraintdef(k.oid)
  FROM pg_constraint k WHERE k.connamespace = %(schema)s::regnamespace
UNION ALL
SELECT 'index', tablename, indexname, '', '', '', indexdef FROM pg_indexes WHERE schemaname = %(schema)s
UNION ALL
SELECT 'sequence', sequencename, '', '', '', concat_ws(' ', start_value, increment_by, cycle, data_type), ''
  FROM pg_sequences WHERE schemaname = %(schema)s
UNION ALL
SELECT 'relation', relname, relkind::text, relpersistence::text, relowner::regrole::text, relacl::text, ''
  FROM pg_class WHERE relnamespace = %(schema)s::regnamespace AND relkind <> 'i'
UNION ALL
SELECT 'schema', '', '', '', nspowner::regrole::text, nspacl::text, ''
  FROM pg_namespace WHERE nspname = %(schema)s
UNION ALL
SELECT 'role', '', rolcanlogin::text, rolinherit::text, rolsuper::text, rolcreaterole::text, ''
  FROM pg_roles WHERE rolname = %(schema)s
UNION ALL
SELECT 'membership', '', roleid::regrole::text, member::regrole::text, inherit_option::text, set_option::text, ''
  FROM pg_auth_members WHERE (SELECT oid FROM pg_roles WHERE rolname = %(schema)s) IN (roleid, member)
"""


def superuser() -> psycopg.Connection[Any]:
    """Connect as superuser to the database that Django uses."""
    name = connection.settings_dict["NAME"]
    return psycopg.connect(
        host=databases.connection_host(),
        user="postgres",
        dbname=name,
        autocommit=True,
        cursor_factory=psycopg.ClientCursor,
    )


def catalogue(schema: str) -> set[tuple[str, ...]]:
    """Return everything the catalogue says of a schema, with its name taken out."""
    with superuser() as conn:
        rows = conn.execute(CATALOGUE, {"schema": schema}).fetchall()
    return {tuple(str(value).replace(f"{schema}.", "").replace(schema, "itself") for value in row) for row in rows}


def schemas() -> set[str]:
    """Return the names of all tenant schemas that exist."""
    with superuser() as conn:
        return {name for (name,) in conn.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_[0-9a-f]+$'")}


def alter(statement: str) -> None:
    """Change something by hand, behind the product's back."""
    with superuser() as conn:
        conn.execute(statement)
