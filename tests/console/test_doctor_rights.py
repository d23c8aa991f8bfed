"""The doctor finds every right too many: each is really given here, and really used (security.md S2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.env import APP_LOGIN
from tests.console.diagnosis import finding
from tests.provisioning.schemas import alter, superuser

pytestmark = pytest.mark.usefixtures("alone")

ACME = "t_ac3e00000000000000000001"
GLOBEX = "t_610be8000000000000000002"
CREATE_HERE = f"GRANT CREATE ON SCHEMA {ACME} TO {ACME}"


def _may_read(table: str, role: str) -> str:
    schema = table.partition(".")[0]
    return f"GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON {table} TO {role}"


def _may_read_both(role: str) -> str:
    return "; ".join(_may_read(f"{schema}.tenant_identity", role) for schema in (ACME, GLOBEX))


TOO_MANY = [
    ("rights.tenant", CREATE_HERE, "create tables in its schema"),
    ("rights.tenant", f"GRANT CREATE ON SCHEMA public TO {ACME}", "create tables in public"),
    ("rights.tenant", _may_read("public.tenants_tenant", ACME), "read the control tables"),
    ("rights.tenant", _may_read(f"{GLOBEX}.tenant_identity", ACME), f"read {GLOBEX}"),
    ("rights.tenant", f"GRANT DELETE ON {ACME}.core_auditevent TO {ACME}", "remove audit rows"),
    ("rights.control", _may_read_both("porchlight_control"), "porchlight_control may read"),
    ("rights.control", _may_read("public.tenants_tenant", "porchlight_route"), "porchlight_route may read"),
    ("rights.everyone", f"GRANT USAGE ON SCHEMA {GLOBEX} TO PUBLIC", f"{GLOBEX}: PUBLIC has USAGE"),
    ("rights.everyone", f"GRANT {GLOBEX} TO {ACME}", f"{ACME} may become {GLOBEX}"),
    ("rights.login", f"GRANT pg_read_all_data TO {APP_LOGIN}", "pg_read_all_data"),
    ("rights.login", f"ALTER ROLE {APP_LOGIN} SUPERUSER", "is a superuser"),
    ("rights.login", _may_read_both(APP_LOGIN), "before it has taken a role"),
    ("rights.login", f"ALTER ROLE {APP_LOGIN} CREATEDB", "may create databases"),
    ("rights.login", f"ALTER ROLE {APP_LOGIN} INHERIT", "inherits the rights"),
]


TAKEN_BACK = {
    "GRANT": "REVOKE",
    " TO ": " FROM ",
    " CREATEDB": " NOCREATEDB",
    " INHERIT": " NOINHERIT",
    " SUPERUSER": " NOSUPERUSER",
}


@contextmanager
def _given(statement: str) -> Iterator[None]:
    alter(statement)
    try:
        yield
    finally:
        for was, taken_back in TAKEN_BACK.items():
            statement = statement.replace(was, taken_back)
        alter(statement)


@pytest.mark.parametrize(("check", "right", "says"), TOO_MANY)
def test_a_right_too_many_is_found(check: str, right: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """ISO-04, ISO-05, ISO-14: tried with the roles themselves; sound again once it is taken back."""
    with _given(right):
        state, said = finding(capsys, check)
    assert (state, says in said) == ("failed", True), said
    assert finding(capsys, check)[0] == "ok"


def test_what_was_tried_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    """Even where a try succeeds."""
    with _given(CREATE_HERE):
        assert finding(capsys, "rights.tenant", "--deep")[0] == "failed"
    with superuser() as conn:
        assert not conn.execute("SELECT 1 FROM pg_class WHERE relname = 'doctor_probe'").fetchall()
