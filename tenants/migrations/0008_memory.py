"""What a session holds in memory: one number, by which a connection that knows many tenants is judged."""

from django.db import migrations

# Only roles that may read statistics see memory contexts, which tell more than a sum; so the function asks for its
# caller. Where the server's superuser has not given the owner that right, it says nothing rather than fail.
MEMORY = """
CREATE FUNCTION gate.memory() RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
    IF NOT pg_has_role('pg_read_all_stats', 'USAGE') THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT sum(total_bytes) FROM pg_backend_memory_contexts);
END $$;
REVOKE ALL ON FUNCTION gate.memory() FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_bank_payments")]
    operations = [migrations.RunSQL(MEMORY, "DROP FUNCTION gate.memory()")]
