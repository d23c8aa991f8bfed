"""What the logins and roles may do: tried for real, in transactions that are taken back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from console.doctor.base import Examination, Finding, check, failed, not_applicable, ok, some
from provisioning.models import SchemaSlot
from tenants.scope import CONTROL_ROLE, ROUTE_ROLE, SETTINGS_ROLE, control_scope

SAMPLE = 3
OUR_ROLES = (CONTROL_ROLE, ROUTE_ROLE, SETTINGS_ROLE)

_READ = "SELECT 1 FROM {} LIMIT 1"
_LOGIN = """
SELECT r.rolsuper AS "is a superuser", r.rolinherit AS "inherits the rights of its roles",
       r.rolcreaterole AS "may create roles", r.rolcreatedb AS "may create databases",
       r.rolreplication AS "may replicate", r.rolbypassrls AS "bypasses row security",
       pg_has_role(r.oid, d.datdba, 'MEMBER') AS "may become the database's owner",
       has_database_privilege(r.oid, d.oid, 'CREATE') AS "may create schemas",
       has_database_privilege(r.oid, d.oid, 'TEMPORARY') AS "may create temporary tables",
       has_schema_privilege(r.oid, 'public', 'USAGE') AS "may use schema public by itself",
       EXISTS (SELECT FROM pg_shdepend o WHERE o.refclassid = 'pg_authid'::regclass AND o.refobjid = r.oid
                  AND o.deptype = 'o') AS "owns something"
  FROM pg_roles r, pg_database d WHERE r.rolname = session_user AND d.datname = current_database()
"""
_STRANGE_MEMBERSHIPS = """
SELECT roleid::regrole::text FROM pg_auth_members
 WHERE member = (SELECT oid FROM pg_roles WHERE rolname = session_user)
   AND (inherit_option OR admin_option OR NOT set_option
        OR NOT (roleid::regrole::text ~ '^t_[0-9a-f]{12,32}$' OR roleid::regrole::text = ANY(%s)))
 ORDER BY 1
"""
# Who may use a tenant's schema beside its owner: its own role, with USAGE alone.
_STRANGE_RIGHTS = """
SELECT n.nspname, CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END, g.privilege_type
  FROM pg_namespace n, aclexplode(n.nspacl) g
 WHERE n.nspname ~ '^t_[0-9a-f]{12,32}$' AND g.grantee <> n.nspowner
   AND NOT (g.grantee <> 0 AND g.grantee::regrole::text = n.nspname AND g.privilege_type = 'USAGE')
UNION ALL
SELECT n.nspname, n.nspowner::regrole::text, 'OWNER' FROM pg_namespace n, pg_database d
 WHERE n.nspname ~ '^t_[0-9a-f]{12,32}$' AND d.datname = current_database() AND n.nspowner <> d.datdba
 ORDER BY 1, 2
"""
_SHARED_TENANT_ROLES = """
SELECT m.roleid::regrole::text, m.member::regrole::text FROM pg_auth_members m
 WHERE m.roleid::regrole::text ~ '^t_[0-9a-f]{12,32}$' AND m.member::regrole::text ~ '^t_[0-9a-f]{12,32}$'
"""


@check("rights.login", "application login is weak", proves="it owns nothing, inherits nothing and reads nothing (S2)")
def login(examination: Examination) -> Finding:
    """Look at the login's attributes, and read tables with it before any role is taken (ISO-04, ISO-14)."""
    with examination.as_app() as conn:
        name = conn.info.user
        cursor = conn.execute(_LOGIN)
        (row,) = cursor.fetchall()
        wrong = [column.name for column, value in zip(cursor.description or (), row, strict=True) if value]
        strange = [role for (role,) in conn.execute(_STRANGE_MEMBERSHIPS, [list(OUR_ROLES)])]
        targets = ["public.tenants_tenant", *(f"{schema}.tenant_identity" for schema in _schemas(1))]
        wrong += [
            f"can read {table} before it has taken a role"
            for table in targets
            if _is_allowed(conn, _READ.format(table))
        ]
    if strange:
        wrong.append(f"is a member of {some(strange)} in a way that gives it more than SET ROLE")
    if wrong:
        return failed(
            f"The application's login {name} {', and '.join(wrong)}. Take that away, or make the login anew"
            " (infra/embedded/bootstrap.py shows how); nothing else separates companies if it is too strong."
        )
    return ok(f"{name} can do nothing before it takes a role.")


@check(
    "rights.tenant", "companies are locked in", proves="a company's role cannot do DDL or see anything else (ISO-05)"
)
def tenant(examination: Examination) -> Finding:
    """Try with the roles of a few companies (all with --deep) what none of them may do."""
    schemas = _schemas(None if examination.deep else SAMPLE)
    if not schemas:
        return not_applicable("There is no schema yet.")
    wrong = []
    with examination.as_app() as conn:
        for position, schema in enumerate(schemas):
            others = [schemas[position - 1]] if len(schemas) > 1 else []
            wrong += [
                f"{schema} may {what}"
                for what, statement in _forbidden(schema, others)
                if _is_allowed(conn, statement, role=schema, path=schema)
            ]
    if wrong:
        return failed(f"Roles may do what they must not: {some(wrong, 5)}. Revoke it; see provisioning/schemas.py.")
    return ok(f"Tried with {len(schemas)} roles: no table made, nothing of others seen.")


def _forbidden(schema: str, others: Iterable[str]) -> list[tuple[str, str]]:
    return [
        ("create tables in its schema", f"CREATE TABLE {schema}.doctor_probe ()"),
        ("create tables in public", "CREATE TABLE public.doctor_probe ()"),
        ("create temporary tables", "CREATE TEMPORARY TABLE doctor_probe ()"),
        ("create schemas", "CREATE SCHEMA doctor_probe"),
        ("read the control tables", _READ.format("public.tenants_tenant")),
        ("remove audit rows", "DELETE FROM core_auditevent WHERE false"),
        *((f"read {other}", _READ.format(f"{other}.tenant_identity")) for other in others),
    ]


@check("rights.control", "control role is locked in", proves="it sees no company's rows and cannot do DDL")
def control(examination: Examination) -> Finding:
    """Try with each shared role what it must not do."""
    schemas = _schemas(1)
    wrong = []
    with examination.as_app() as conn:
        for role in OUR_ROLES:
            tries = {
                "create tables in public": "CREATE TABLE public.doctor_probe ()",
                **{f"read {name}": _READ.format(f"{name}.tenant_identity") for name in schemas},
            }
            if role == ROUTE_ROLE:
                tries["read the control tables"] = _READ.format("public.tenants_tenant")
            wrong += [
                f"{role} may {what}"
                for what, statement in tries.items()
                if _is_allowed(conn, statement, role=role, path="public")
            ]
    if wrong:
        return failed(f"Roles may do what they must not: {some(wrong, 5)}. Revoke it; see provisioning/schemas.py.")
    return ok("The shared roles see no company's rows and cannot create tables.")


@check("rights.everyone", "no schema is open to others", proves="each schema is its owner's and its own role's alone")
def everyone(examination: Examination) -> Finding:
    """Read the rights of every schema and the memberships of every company's role from the catalogue."""
    with examination.as_app() as conn:
        rights = [f"{schema}: {who} has {what}" for schema, who, what in conn.execute(_STRANGE_RIGHTS)]
        shared = [f"{member} may become {role}" for role, member in conn.execute(_SHARED_TENANT_ROLES)]
        ((count,),) = conn.execute("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^t_[0-9a-f]{12,32}$'").fetchall()
    if rights or shared:
        return failed(f"Schemas are open to others: {some(rights + shared, 5)}. Revoke these rights.")
    return ok(f"{count} schemas, each its own role's alone.")


def _schemas(most: int | None) -> list[str]:
    """Return schemas that exist: companies' first, the newest first."""
    alive = [SchemaSlot.State.CLAIMED, SchemaSlot.State.READY]
    with control_scope():
        found = SchemaSlot.objects.filter(state__in=alive).order_by("state", "-created_at")
        return list(found.values_list("schema_name", flat=True)[:most])


def _is_allowed(conn: psycopg.Connection[Any], statement: str, *, role: str = "none", path: str = "public") -> bool:
    """Whether the server lets a role do this; whatever it did is taken back."""
    try:
        with conn.transaction(force_rollback=True):
            conn.execute("SELECT set_config('search_path', %s, true), set_config('role', %s, true)", [path, role])
            conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True
