"""The gate: what a tenant's role, the router and the settings service may see of the control plane."""

from django.db import migrations

GATE = """
CREATE SCHEMA gate;

CREATE VIEW gate.hosts WITH (security_barrier) AS
SELECT h.name AS slug, t.id AS tenant_id, t.schema_name
  FROM public.tenants_hostname h JOIN public.tenants_tenant t ON t.id = h.tenant_id
 WHERE h.kind = 'slug' AND h.state = 'live' AND t.schema_name IS NOT NULL;

CREATE VIEW gate.me WITH (security_barrier) AS
SELECT t.id AS tenant_id, t.slug, t.display_name, t.schema_name, t.lifecycle,
       t.first_activated_at IS NOT NULL AS was_active, t.service_mode, t.review, t.config_version,
       t.schema_fingerprint, t.time_zone, t.locale, t.country, t.currency,
       p.code AS plan_code, p.application_fee_bps,
       (SELECT array_agg(DISTINCT h.kind ORDER BY h.kind) FROM public.tenants_hold h
         WHERE h.tenant_id = t.id AND h.released_at IS NULL) AS holds,
       COALESCE((SELECT NOT f.killed AND COALESCE(o.value, f."default")
                   FROM public.tenants_flag f
                   LEFT JOIN public.tenants_flagoverride o ON o.flag_id = f.key AND o.tenant_id = t.id
                        AND (o.expires_at IS NULL OR o.expires_at > now())
                  WHERE f.key = 'portal'), false) AS portal_entitled,
       (SELECT e.flag_epoch + e.plan_epoch FROM public.tenants_epoch e) AS flag_epoch,
       a.account_id, a.card_payments, a.livemode
  FROM public.tenants_tenant t
  JOIN public.tenants_plan p ON p.id = t.plan_id
  LEFT JOIN public.tenants_paymentaccount a ON a.tenant_id = t.id AND a.disconnected_at IS NULL
 WHERE t.schema_name = current_user;

CREATE VIEW gate.settings WITH (security_barrier) AS
SELECT s.key, s.scope, s.value, s.locked, s.expires_at
  FROM public.tenants_settingvalue s, public.tenants_tenant t
 WHERE t.schema_name = current_user
   AND (s.scope = 'platform'
        OR s.scope = 'plan' AND s.scope_id = t.plan_id::text
        OR s.scope IN ('operator', 'owner') AND s.scope_id = t.id::text);

CREATE FUNCTION gate.refuse_identity_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.slug <> OLD.slug THEN
        RAISE EXCEPTION 'a tenant keeps its id and its address for ever (HOST-03)' USING ERRCODE = '23514';
    END IF;
    IF OLD.schema_name IS NOT NULL AND NEW.schema_name IS DISTINCT FROM OLD.schema_name
       AND OLD.first_activated_at IS NOT NULL THEN
        RAISE EXCEPTION 'the schema of an activated tenant is not reassigned' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tenant_identity_is_permanent BEFORE UPDATE ON public.tenants_tenant
    FOR EACH ROW EXECUTE FUNCTION gate.refuse_identity_change();

CREATE FUNCTION gate.refuse_host_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.kind = 'slug' AND OLD.state <> 'held' THEN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'an address that was live is never given out again (HOST-06)' USING ERRCODE = '23514';
        ELSIF NEW.name <> OLD.name OR NEW.tenant_id IS DISTINCT FROM OLD.tenant_id OR NEW.state = 'held' THEN
            RAISE EXCEPTION 'an address that was live stays with its company (HOST-03)' USING ERRCODE = '23514';
        END IF;
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER host_is_permanent BEFORE UPDATE OR DELETE ON public.tenants_hostname
    FOR EACH ROW EXECUTE FUNCTION gate.refuse_host_removal();

CREATE FUNCTION gate.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are only ever inserted (CON-08)' USING ERRCODE = '23514';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON public.tenants_platformauditevent
    FOR EACH ROW EXECUTE FUNCTION gate.refuse_audit_change();
"""


def add_first_rows(apps, schema_editor):
    apps.get_model("tenants", "Cell").objects.get_or_create(name="one")
    apps.get_model("tenants", "Epoch").objects.get_or_create(id=1)
    apps.get_model("tenants", "Flag").objects.get_or_create(
        key="portal",
        defaults={
            "kind": "permission",
            "default": False,
            "owner": "platform",
            "description": "Entitles a company to its customer portal; set by provisioning (C-20).",
        },
    )
    apps.get_model("tenants", "Plan").objects.get_or_create(
        code="porch",
        version=1,
        defaults={"name": "Porch", "price_cents": 4900, "trial_days": 30, "is_offered": True},
    )


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [
        migrations.RunSQL(GATE, "DROP SCHEMA gate CASCADE"),
        migrations.RunPython(add_first_rows, migrations.RunPython.noop),
    ]
