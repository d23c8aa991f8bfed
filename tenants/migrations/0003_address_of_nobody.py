"""A company that never opened gives its address back: the only way in which a name becomes free again (check 18)."""

from django.db import migrations

FREED = """
CREATE OR REPLACE FUNCTION gate.refuse_identity_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id THEN
        RAISE EXCEPTION 'a tenant keeps its id for ever (HOST-03)' USING ERRCODE = '23514';
    END IF;
    IF NEW.slug <> OLD.slug AND NOT (
            OLD.first_activated_at IS NULL AND NEW.first_activated_at IS NULL AND NEW.lifecycle = 'purging'
            AND NEW.slug = 'gone-' || replace(OLD.id::text, '-', '')) THEN
        RAISE EXCEPTION 'a tenant keeps its address for ever (HOST-03)' USING ERRCODE = '23514';
    END IF;
    IF OLD.schema_name IS NOT NULL AND NEW.schema_name IS DISTINCT FROM OLD.schema_name
       AND OLD.first_activated_at IS NOT NULL THEN
        RAISE EXCEPTION 'the schema of an activated tenant is not reassigned' USING ERRCODE = '23514';
    END IF;
    IF OLD.first_activated_at IS NOT NULL AND NEW.first_activated_at IS NULL
       OR OLD.lifecycle = 'deleted' AND NEW.lifecycle <> 'deleted'
       OR OLD.lifecycle = 'purging' AND NEW.lifecycle NOT IN ('purging', 'deleted') THEN
        RAISE EXCEPTION 'a company that opened stays known, one that ended stays ended' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION gate.refuse_host_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.kind = 'slug' AND OLD.state <> 'held' THEN
        IF TG_OP = 'DELETE' THEN
            IF NOT EXISTS (SELECT FROM public.tenants_tenant t
                            WHERE t.id = OLD.tenant_id AND t.lifecycle = 'purging'
                              AND t.first_activated_at IS NULL) THEN
                RAISE EXCEPTION 'an address that was live is never given out again (HOST-06)' USING ERRCODE = '23514';
            END IF;
        ELSIF NEW.name <> OLD.name OR NEW.tenant_id IS DISTINCT FROM OLD.tenant_id OR NEW.state = 'held' THEN
            RAISE EXCEPTION 'an address that was live stays with its company (HOST-03)' USING ERRCODE = '23514';
        END IF;
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_gate")]
    operations = [migrations.RunSQL(FREED, migrations.RunSQL.noop)]
