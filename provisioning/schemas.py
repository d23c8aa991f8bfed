"""Makes schemas: real migrations, one role each, a fingerprint that proves the result (platform.md 0.3, 3.5)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from functools import cache

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from infra.env import APP_LOGIN
from tenants.scope import (
    CONTROL_ROLE,
    ROUTE_ROLE,
    SCHEMA_NAME,
    SETTINGS_ROLE,
    BadSchemaName,
    owner_scope,
)

# Rows of these tables are facts: nobody who serves requests may change or remove them.
APPEND_ONLY = ("core_auditevent", "payments_journal", "payments_paymentallocation")
READ_ONLY = ("django_migrations",)
RIGHTS = "SELECT, INSERT, UPDATE, DELETE"


def new_schema_name() -> str:
    """Return a fresh opaque name; never derived from anything, never used again (ISO-30)."""
    return f"t_{secrets.token_hex(12)}"


def labels_of(names: Iterable[str]) -> set[str]:
    """Return the labels of the applications with these names."""
    wanted = set(names)
    return {config.label for config in apps.get_app_configs() if config.name in wanted}


@cache
def current_release() -> str:
    """Return the digest of all migrations a tenant schema must have."""
    labels = labels_of(settings.TENANT_APPS)
    loader = MigrationLoader(None)
    names = sorted(f"{app}.{name}" for app, name in loader.disk_migrations if app in labels)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def migrate_public() -> None:
    """Bring the control plane's tables up to date and settle who may touch them."""
    with owner_scope():
        _migrate(labels_of(settings.SHARED_APPS))
        with transaction.atomic():
            settle_control_grants()


def migrate_schema(schema: str) -> None:
    """Bring one tenant schema up to date and settle its grants; creates nothing outside it."""
    with owner_scope(schema):
        _migrate(labels_of(settings.TENANT_APPS))
        with transaction.atomic():
            settle_tenant_grants(schema)


def pending_migrations() -> tuple[MigrationExecutor, list[Migration]]:
    """Return what the schema of the open owner scope lacks, in order; must run in that scope."""
    executor, _, plan = _plan(labels_of(settings.TENANT_APPS))
    return executor, [migration for migration, _ in plan]


def _plan(labels: set[str]) -> tuple[MigrationExecutor, list[tuple[str, str]], list[tuple[Migration, bool]]]:
    executor = MigrationExecutor(connection)
    targets = [node for node in executor.loader.graph.leaf_nodes() if node[0] in labels]
    return executor, targets, executor.migration_plan(targets)


def _migrate(labels: set[str]) -> None:
    executor, targets, plan = _plan(labels)
    if plan:
        executor.migrate(targets, plan)


def create_schema(schema: str) -> None:
    """Create an empty schema and its role; raises if either exists: a left-over is never adopted (ISO-31, F-84)."""
    statements = creation_of(schema)
    with owner_scope(), transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def creation_of(schema: str) -> tuple[str, ...]:
    """Return the statements that make a schema and its role and say who may take that role."""
    name = checked(schema)
    # The members are named with the new role: each GRANT afterwards would have the server go through all the roles
    # that the owner has ever made (18 ms beside 5,000 companies, growing with them; this takes 3 ms).
    return (
        "SET LOCAL createrole_self_grant = 'set'",
        f"CREATE SCHEMA {name}",
        f"CREATE ROLE {name} NOLOGIN ROLE {APP_LOGIN}",
    )


def drop_schema(schema: str) -> None:
    """Remove a schema and its role; the caller has checked the slot ledger (ISO-32)."""
    name = checked(schema)
    with owner_scope(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
        if cursor.fetchone():
            # The role owned nothing, and what it was allowed went with the schema.
            cursor.execute(f"DROP ROLE {name}")


TABLES_AT_ONCE = 8


def drop_in_batches(schema: str) -> None:
    """Remove a schema a few tables at a time, so that its size never exhausts the server's locks (M16)."""
    name = checked(schema)
    with owner_scope(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = %s ORDER BY tablename", [schema]
        )
        tables = [f"{name}.{table}" for (table,) in cursor.fetchall()]
        for first in range(0, len(tables), TABLES_AT_ONCE):
            cursor.execute(f"DROP TABLE {', '.join(tables[first : first + TABLES_AT_ONCE])} CASCADE")
    drop_schema(name)


def checked(schema: str) -> str:
    """Return the name if it is one of ours, so that it may stand in a statement; raises BadSchemaName."""
    if not SCHEMA_NAME.match(schema):
        raise BadSchemaName(schema)
    return schema


def settle_tenant_grants(schema: str) -> None:
    """Give the tenant's role its rights in its one schema; must run in the schema's owner scope."""
    with connection.cursor() as cursor:
        for statement in tenant_grants(checked(schema)):
            cursor.execute(statement)


def tenant_grants(name: str) -> tuple[str, ...]:
    """Return the statements that give a role its rights in the schema of its name."""
    return (
        f"GRANT USAGE ON SCHEMA {name} TO {name}",
        f"GRANT {RIGHTS} ON ALL TABLES IN SCHEMA {name} TO {name}",
        *(f"REVOKE UPDATE, DELETE ON {name}.{table} FROM {name}" for table in APPEND_ONLY),
        *(f"REVOKE INSERT, UPDATE, DELETE ON {name}.{table} FROM {name}" for table in READ_ONLY),
    )


def table_grants(name: str, tables: Iterable[str]) -> tuple[str, ...]:
    """Return the statements that give a role its rights on tables that are new in the schema of the path.

    To name them is cheap; for ALL TABLES the server reads the names of every schema's tables.
    """
    fewer = dict.fromkeys(APPEND_ONLY, "SELECT, INSERT") | dict.fromkeys(READ_ONLY, "SELECT")
    return tuple(f'GRANT {fewer.get(table, RIGHTS)} ON "{table}" TO {name}' for table in sorted(tables))


# What stands in schema gate shows each role the rows of its own name, so everybody may ask: nobody but a tenant's role
# gets an answer. A group for the tenants' roles would have to be told of each new one, which takes the longer the
# more there are.
CONTROL_GRANTS = f"""
GRANT USAGE ON SCHEMA public TO {CONTROL_ROLE}, {SETTINGS_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {CONTROL_ROLE};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {CONTROL_ROLE};
REVOKE INSERT, UPDATE, DELETE ON public.django_migrations FROM {CONTROL_ROLE};
REVOKE UPDATE, DELETE ON public.tenants_platformauditevent FROM {CONTROL_ROLE};
REVOKE DELETE ON public.tenants_tenant FROM {CONTROL_ROLE};
GRANT USAGE ON SCHEMA gate TO PUBLIC;
GRANT SELECT ON gate.hosts TO {ROUTE_ROLE};
GRANT SELECT ON gate.me, gate.settings TO PUBLIC;
GRANT EXECUTE ON FUNCTION gate.prove(), gate.memory() TO PUBLIC;
GRANT EXECUTE ON FUNCTION gate.stamp(text) TO {CONTROL_ROLE};
GRANT SELECT (id, config_version, plan_id), UPDATE (config_version) ON public.tenants_tenant TO {SETTINGS_ROLE};
GRANT SELECT ON public.tenants_cohort, public.tenants_cohortmember TO {SETTINGS_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON public.tenants_settingvalue TO {SETTINGS_ROLE};
GRANT INSERT ON public.tenants_platformauditevent TO {SETTINGS_ROLE};
GRANT SELECT, INSERT, UPDATE ON public.tenants_paymentaccount TO {SETTINGS_ROLE};
"""


def settle_control_grants() -> None:
    """Create the shared roles if need be and give them their rights; must run in the owner scope on public."""
    with connection.cursor() as cursor:
        # Roles belong to the whole cluster: two databases set up at once must not both create one.
        cursor.execute("SELECT pg_advisory_xact_lock(7243002)")
        for role in (CONTROL_ROLE, ROUTE_ROLE, SETTINGS_ROLE):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE ROLE {role} NOLOGIN")
            cursor.execute(f"GRANT {role} TO {APP_LOGIN} WITH INHERIT FALSE, SET TRUE")
            cursor.execute(f"GRANT {role} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE")
        # A tenant's role is made with the login as a member, who inherits what its own attribute says (S2).
        cursor.execute("SELECT rolinherit FROM pg_roles WHERE rolname = %s", [APP_LOGIN])
        if cursor.fetchone()[0]:
            cursor.execute(f"ALTER ROLE {APP_LOGIN} NOINHERIT")
        for statement in filter(str.strip, CONTROL_GRANTS.split(";")):
            cursor.execute(statement)


# Everything that makes two schemas differ for those who use them. Only the names of NOT NULL constraints are left
# out: they follow the first name a column ever had. What belongs to a schema is found by pg_depend, whose index makes
# the question as quick among ten thousand schemas as among ten.
_BELONGING = """
WITH made AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend
     WHERE refclassid = 'pg_namespace'::regclass AND refobjid = {schema} AND refobjsubid = 0
), relation AS MATERIALIZED (
    SELECT c.* FROM made JOIN pg_class c ON c.oid = made.objid
     WHERE made.classid = 'pg_class'::regclass AND ({only})
)
"""
_FACTS = """
SELECT concat_ws(E'\\x1f', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.attidentity, a.attgenerated, a.attacl, pg_get_expr(d.adbin, d.adrelid)) AS fact
  FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relkind <> 'S'
UNION ALL
SELECT concat_ws(E'\\x1f', 'constraint', c.relname, k.conname, k.contype, k.convalidated, pg_get_constraintdef(k.oid))
  FROM relation c JOIN pg_constraint k ON k.conrelid = c.oid WHERE k.contype <> 'n'
UNION ALL
SELECT concat_ws(E'\\x1f', 'index', c.relname, x.indisvalid, pg_get_indexdef(x.indexrelid))
  FROM relation c JOIN pg_index x ON x.indrelid = c.oid
UNION ALL
SELECT concat_ws(E'\\x1f', 'relation', c.relname, c.relkind, c.relrowsecurity, c.relowner = n.nspowner)
  FROM relation c JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL
SELECT concat_ws(E'\\x1f', 'grant', c.relname, g.grantee::regrole, g.privilege_type, g.is_grantable)
  FROM relation c, aclexplode(c.relacl) g WHERE g.grantee <> c.relowner
UNION ALL
SELECT concat_ws(E'\\x1f', 'grant', '', g.grantee::regrole, g.privilege_type, g.is_grantable)
  FROM pg_namespace n, aclexplode(n.nspacl) g WHERE n.oid = {schema} AND g.grantee <> n.nspowner
UNION ALL
SELECT concat_ws(E'\\x1f', 'trigger', c.relname, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid))
  FROM relation c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT concat_ws(E'\\x1f', 'rule', c.relname, w.rulename, w.ev_enabled, pg_get_ruledef(w.oid))
  FROM relation c JOIN pg_rewrite w ON w.ev_class = c.oid
UNION ALL
SELECT concat_ws(E'\\x1f', 'policy', c.relname, p.polname) FROM relation c JOIN pg_policy p ON p.polrelid = c.oid
UNION ALL
SELECT concat_ws(E'\\x1f', 'other', pg_describe_object(classid, objid, 0))
  FROM made WHERE classid <> 'pg_class'::regclass
"""


def fingerprint_of(schema: str) -> str:
    """Return the query whose one value is a schema's fingerprint; to be run with `public` as the path."""
    name = checked(schema)
    return digest_of(f"'{name}'::regnamespace", f"'{name}'")


def digest_of(schema: str, name: str, only: str = "true") -> str:
    """Return the query whose one value is the digest of a schema, or of those of its tables that fulfil a condition.

    All arguments are SQL: the schema's number, its name, and a condition on a table's row `c` of pg_class.
    """
    belonging, facts = (part.format(schema=schema, only=only) for part in (_BELONGING, _FACTS))
    text = "coalesce(string_agg(fact, E'\\n' ORDER BY fact COLLATE \"C\"), '')"
    # The name is taken out of the whole text at once: from a thousand lines one by one costs a third of the time.
    text = f"replace(replace({text}, {name} || '.', ''), {name}, 'itself')"
    return f"{belonging} SELECT encode(sha256(convert_to({text}, 'UTF8')), 'hex') FROM ({facts}) facts"  # noqa: S608


def fingerprint(schema: str) -> str:
    """Return the digest of a schema's catalogue; equal for every schema of one release (Decided 20)."""
    with owner_scope(), connection.cursor() as cursor:
        cursor.execute(fingerprint_of(schema))
        return str(cursor.fetchone()[0])
