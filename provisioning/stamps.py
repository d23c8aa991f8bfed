"""Whether a schema's catalogue has been touched since it was stamped: a tenth of the price of its fingerprint.

Every change of a schema writes at least one row of the catalogue, and every written row carries its transaction's
number. The stamp adds those numbers up. Equal stamps mean that nobody touched anything; different ones mean only that
somebody did, for example reindexed, and then the fingerprint decides. Stamps of parts of a schema add up to its own.

The queries made here suit many schemas at once. For one alone `gate.stamp()` makes the same sum, already planned; it
stands in a migration of this app, so whoever changes the sum makes another.
"""

from __future__ import annotations

EVERYTHING = "true"

# Each part asks for the rows of one table at a time through its index, so that no plan ever reads a whole catalogue.
# A table without its flag has no such rows: what makes the first one sets the flag, and that writes the table's row.
_OF_ONE_TABLE = (
    "pg_attribute x WHERE x.attrelid = c.oid AND x.attnum > 0",
    "pg_attrdef x WHERE x.adrelid = c.oid",
    "pg_constraint x WHERE x.conrelid = c.oid",
    "pg_trigger x WHERE x.tgrelid = c.oid AND c.relhastriggers",
    "pg_rewrite x WHERE x.ev_class = c.oid AND c.relhasrules",
    "pg_policy x WHERE x.polrelid = c.oid",
)
_INDEXES = "pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid"
_ROWS = " UNION ALL ".join(
    (
        "SELECT hashoid(d.objid)::bigint + coalesce(hashxid(c.xmin), 0) AS s",
        f"SELECT hashxid(i.xmin)::bigint + hashxid(x.xmin) FROM {_INDEXES}",  # noqa: S608
        *(f"SELECT hashxid(x.xmin)::bigint FROM {rows}" for rows in _OF_ONE_TABLE),  # noqa: S608
    )
)


def sums_of(schema: str, only: str = EVERYTHING, *, each: str = "") -> str:
    """Return a query: how many catalogue rows (n) the schema of this number has, and the sum over them (s).

    All arguments are SQL: `only` a condition on a table's row `c` of pg_class, `each` what to group by, returned too.
    """
    return f"""
SELECT {f"{each}, " if each else ""}count(*) AS n, coalesce(sum(r.s), 0) AS s
  FROM pg_depend d LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid,
       LATERAL ({_ROWS} OFFSET 0) r
 WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = {schema} AND d.refobjsubid = 0 AND ({only})
{f" GROUP BY {each}" if each else ""}"""  # noqa: S608


def stamp_of(schema: str) -> str:
    """Return an SQL expression: the stamp of the schema whose name another SQL expression gives, NULL for none."""
    return f"""(
SELECT concat_ws('.', t.n, t.s, m.xmin) FROM pg_namespace m, LATERAL ({sums_of("m.oid")}) t
 WHERE m.oid = to_regnamespace({schema}))"""  # noqa: S608
