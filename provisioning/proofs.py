"""Proves, at a fraction of a fingerprint's price, that a plan did to a schema what it did in its rehearsal.

A schema whose stamp is the ledger's is of the old release, for that was proved when it was stamped. So three things
together say that it is of the new one: before, nobody had touched it; the plan's statements wrote no catalogue row but
those of the tables that they wrote in the rehearsal; and these tables are now what they were then. The first two are
one sum: what the plan does not touch as it is now, and what it does as it was before, must add up to the stamp.
The functions live as long as their connection, which plans their queries once and not for each schema.
"""

from __future__ import annotations

from django.db import connection

from provisioning.models import MigrationPlan
from provisioning.schemas import checked, digest_of
from provisioning.stamps import sums_of
from tenants.scope import owner_scope

TOUCHED = "PL003"
DIFFERS = "PL004"
_HERE = "to_regnamespace(name)"
_MINE = "c.relname = ANY(touched)"

FUNCTIONS = f"""
CREATE FUNCTION pg_temp.remember(name text, touched text[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM set_config('porchlight.before', (SELECT t.n || '.' || t.s FROM ({sums_of(_HERE, _MINE)}) t), true);
END $$;
CREATE FUNCTION pg_temp.prove(name text, touched text[], stamp text, wanted text) RETURNS text
LANGUAGE plpgsql AS $$ DECLARE
    before text[] := string_to_array(current_setting('porchlight.before'), '.');
    own text := (SELECT m.xmin::text FROM pg_namespace m WHERE m.oid = {_HERE});
    rest record;
    part record;
BEGIN
    SELECT * INTO rest FROM ({sums_of(_HERE, f"({_MINE}) IS NOT TRUE")}) t;
    IF concat_ws('.', rest.n + before[1]::numeric, rest.s + before[2]::numeric, own) IS DISTINCT FROM stamp THEN
        RAISE EXCEPTION 'porchlight: touched since it was proved' USING ERRCODE = '{TOUCHED}';
    END IF;
    IF ({digest_of(_HERE, "name", _MINE)}) IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION 'porchlight: not as in the rehearsal' USING ERRCODE = '{DIFFERS}';
    END IF;
    SELECT * INTO part FROM ({sums_of(_HERE, _MINE)}) t;
    RETURN concat_ws('.', rest.n + part.n, rest.s + part.s, own);
END $$
"""  # noqa: S608


def remembering(schema: str, plan: MigrationPlan) -> str:
    """Return the statement that goes before the plan's; to be run with `public` as the path, as what proves it."""
    return f"SELECT pg_temp.remember('{checked(schema)}', {_touched(plan)})"


def proving(schema: str, plan: MigrationPlan, stamp: str) -> str:
    """Return the statement that goes after the plan's: its value is the new stamp; ends in TOUCHED or DIFFERS."""
    return f"SELECT pg_temp.prove('{checked(schema)}', {_touched(plan)}, '{stamp}', '{plan.touched_fingerprint}')"


def _touched(plan: MigrationPlan) -> str:
    return "ARRAY[" + ", ".join(f"'{name}'" for name in plan.touched) + "]::text[]"


Sums = dict[str | None, tuple[int, int]]


def read_sums(schema: str) -> tuple[Sums, str]:
    """Return the sums over each table's catalogue rows, everything else under None, and the schema's own number."""
    number = f"'{checked(schema)}'::regnamespace"
    with owner_scope(), connection.cursor() as cursor:
        cursor.execute(sums_of(number, each="c.relname"))
        sums = {name: (n, s) for name, n, s in cursor.fetchall()}
        cursor.execute(f"SELECT xmin::text FROM pg_namespace WHERE oid = {number}")  # noqa: S608
        return sums, str(cursor.fetchone()[0])


def touched_between(before: tuple[Sums, str], after: tuple[Sums, str]) -> list[str]:
    """Return the tables whose catalogue rows differ; none when something else differs, which no table's proof shows."""
    (old, old_number), (new, new_number) = before, after
    names = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    if None in names or old_number != new_number:
        return []
    return sorted(name for name in names if name)


def digest_of_tables(schema: str, tables: list[str]) -> str:
    """Return the digest of these tables of a schema."""
    name = checked(schema)
    query = digest_of(f"'{name}'::regnamespace", f"'{name}'", "c.relname = ANY(%s)")
    with owner_scope(), connection.cursor() as cursor:
        cursor.execute(query, [tables])
        return str(cursor.fetchone()[0])
