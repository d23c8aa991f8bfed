"""Whether a schema's catalogue has been touched since it was stamped: a tenth of the price of its fingerprint.

Every change of a schema writes at least one row of the catalogue, and every written row carries its transaction's
number. The stamp adds those numbers up. Equal stamps mean that nobody touched anything; different ones mean only that
somebody did, for example reindexed, and then the fingerprint decides.
"""

from __future__ import annotations

# Each part asks for the rows of one table at a time through its index, so that no plan ever reads a whole catalogue.
_OF_ONE_TABLE = (
    "pg_class x WHERE x.oid = t.objid",
    "pg_attribute x WHERE x.attrelid = t.objid AND x.attnum > 0",
    "pg_attrdef x WHERE x.adrelid = t.objid",
    "pg_constraint x WHERE x.conrelid = t.objid",
    "pg_index x WHERE x.indrelid = t.objid",
    "pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = t.objid",
    "pg_trigger x WHERE x.tgrelid = t.objid",
    "pg_rewrite x WHERE x.ev_class = t.objid",
    "pg_policy x WHERE x.polrelid = t.objid",
)
_ROWS = " UNION ALL ".join(
    f"SELECT count(*) AS n, sum(hashint8(x.xmin::text::bigint)) AS s FROM {rows}"  # noqa: S608
    for rows in _OF_ONE_TABLE
)


def stamp_of(schema: str) -> str:
    """Return an SQL expression: the stamp of the schema whose name another SQL expression gives."""
    return f"""(
SELECT concat_ws('.', sum(r.n), sum(r.s), sum(hashoid(t.objid)),
                 (SELECT x.xmin FROM pg_namespace x WHERE x.oid = t.schema))
  FROM (SELECT d.objid, d.refobjid AS schema FROM pg_depend d
         WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = to_regnamespace({schema})
           AND d.refobjsubid = 0) t,
       LATERAL ({_ROWS} OFFSET 0) r
 GROUP BY t.schema)"""  # noqa: S608
