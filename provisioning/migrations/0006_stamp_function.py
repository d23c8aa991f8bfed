"""The stamp of one schema as a function: a session plans it once, and planning cost a claim more than adding up."""

from django.db import migrations

# The same sum that provisioning/stamps.py makes over many schemas at once. Any schema's plan suits every other, so
# none is made for one alone.
STAMP = """
CREATE FUNCTION gate.stamp(name text) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    schema oid := to_regnamespace(name);
BEGIN
    RETURN (
        SELECT concat_ws('.', t.n, t.s, m.xmin) FROM pg_namespace m, LATERAL (
            SELECT count(*) AS n, coalesce(sum(r.s), 0) AS s
              FROM pg_depend d LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid,
                   LATERAL (
                       SELECT hashoid(d.objid)::bigint + coalesce(hashxid(c.xmin), 0) AS s
                       UNION ALL
                       SELECT hashxid(i.xmin)::bigint + hashxid(x.xmin)
                         FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid
                       UNION ALL
                       SELECT hashxid(x.xmin)::bigint FROM pg_attribute x WHERE x.attrelid = c.oid AND x.attnum > 0
                       UNION ALL
                       SELECT hashxid(x.xmin)::bigint FROM pg_attrdef x WHERE x.adrelid = c.oid
                       UNION ALL
                       SELECT hashxid(x.xmin)::bigint FROM pg_constraint x WHERE x.conrelid = c.oid
                       UNION ALL
                       SELECT hashxid(x.xmin)::bigint FROM pg_trigger x WHERE x.tgrelid = c.oid AND c.relhastriggers
                       UNION ALL
                       SELECT hashxid(x.xmin)::bigint FROM pg_rewrite x WHERE x.ev_class = c.oid AND c.relhasrules
                       UNION ALL
                       SELECT hashxid(x.xmin)::bigint FROM pg_policy x WHERE x.polrelid = c.oid
                       OFFSET 0) r
             WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = m.oid AND d.refobjsubid = 0) t
         WHERE m.oid = schema);
END $$;
REVOKE ALL ON FUNCTION gate.stamp(text) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0005_cheaper_proofs"), ("tenants", "0002_gate")]
    operations = [migrations.RunSQL(STAMP, "DROP FUNCTION gate.stamp(text)")]
