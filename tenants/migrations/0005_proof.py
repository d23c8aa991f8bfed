"""The proof that a tenant's role asks for in every request: one call, planned once for each connection."""

from django.db import migrations

# current_user is a name, and names compare in C order: without the collation no index would help and every
# request would read all tenants. The function keeps its plan whatever the caller's path is, which the view alone
# cannot: its plan would be made anew (0.4 ms) each time. It runs with the caller's rights, and its columns travel
# as one text, so that a view with one more column is no change of the function's type.
PROOF = """
CREATE OR REPLACE VIEW gate.me WITH (security_barrier) AS
SELECT t.id AS tenant_id, t.slug, t.display_name, t.schema_name, t.lifecycle,
       t.first_activated_at IS NOT NULL AS was_active, t.service_mode, t.review, t.config_version,
       t.schema_fingerprint, t.time_zone, t.locale, t.country, t.currency,
       p.code AS plan_code, p.application_fee_bps,
       (SELECT array_agg(DISTINCT h.kind ORDER BY h.kind) FROM public.tenants_hold h
         WHERE h.tenant_id = t.id AND h.released_at IS NULL) AS holds,
       (SELECT e.flag_epoch + e.plan_epoch FROM public.tenants_epoch e) AS flag_epoch,
       a.account_id, a.card_payments, a.livemode
  FROM public.tenants_tenant t
  JOIN public.tenants_plan p ON p.id = t.plan_id
  LEFT JOIN public.tenants_paymentaccount a ON a.tenant_id = t.id AND a.disconnected_at IS NULL
 WHERE t.schema_name = current_user::text COLLATE "default";

CREATE OR REPLACE VIEW gate.settings WITH (security_barrier) AS
SELECT s.key, s.scope, s.value, s.locked, s.expires_at, place.rank
  FROM public.tenants_tenant t
 CROSS JOIN LATERAL (
       VALUES ('platform', '', 0), ('kill', '', 0), ('plan', t.plan_id::text, 0), ('grant', t.id::text, 0),
              ('operator', t.id::text, 0), ('owner', t.id::text, 0)
       UNION ALL
       SELECT 'cohort', c.name, c.rank::integer
         FROM public.tenants_cohortmember m JOIN public.tenants_cohort c ON c.name = m.cohort_id
        WHERE m.tenant_id = t.id) place(scope, scope_id, rank)
  JOIN public.tenants_settingvalue s ON s.scope = place.scope AND s.scope_id = place.scope_id
 WHERE t.schema_name = current_user::text COLLATE "default";

CREATE FUNCTION gate.prove() RETURNS text LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    answer text;
BEGIN
    SELECT row_to_json(m)::text INTO answer FROM gate.me m;
    RETURN answer;
END $$;
REVOKE ALL ON FUNCTION gate.prove() FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_one_table_of_values")]
    operations = [migrations.RunSQL(PROOF, "DROP FUNCTION gate.prove()")]
