"""What a connection may carry from one user to the next through the pool: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from tenants.backend.base import DatabaseWrapper
from tenants.scope import tenant_scope
from tests import databases
from tests.cast import ACME, GLOBEX

A = "t_ac3e00000000000000000001"
B = "t_610be8000000000000000002"


@pytest.fixture
def pooled(db: None) -> Iterator[DatabaseWrapper]:
    """A second connection to the test's database that comes from a pool of one."""
    settings: dict[str, Any] = {**connections.settings["default"], "CONN_MAX_AGE": 0}
    settings["NAME"] = connections["default"].settings_dict["NAME"]
    settings["USER"] = connections["default"].settings_dict["USER"]
    settings["OPTIONS"] = {**settings["OPTIONS"], "pool": {"min_size": 1, "max_size": 1, "timeout": 5}}
    made = DatabaseWrapper(settings, "pooled")
    try:
        yield made
    finally:
        made.close()
        made.close_pool()


def _ask(wrapper: DatabaseWrapper, sql: str) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None


def test_nothing_of_the_last_user_stays_on_a_connection_that_went_back(pooled: DatabaseWrapper) -> None:
    """ISO-13, D41: role, path, settings, locks, prepared statements, cursors, listening, sequences."""
    with tenant_scope(ACME, A):
        pid = _ask(pooled, "SELECT pg_backend_pid()")
        for statement in (
            "SET TimeZone = 'Asia/Tokyo'",
            "SET work_mem = '1MB'",
            "SELECT set_config('my.note', 'Alice Archer', false)",
            "SELECT pg_advisory_lock(42)",
            "PREPARE mine AS SELECT name FROM customers_customer",
            "LISTEN gossip",
            "DECLARE held CURSOR WITH HOLD FOR SELECT name FROM customers_customer",
        ):
            _ask(pooled, statement)
        pooled.close()
    assert pooled.pool
    with pooled.pool.connection() as raw:
        raw.autocommit = True
        one = """SELECT pg_backend_pid(), current_user, session_user, current_setting('search_path'),
                        current_setting('TimeZone'), current_setting('work_mem'), current_setting('my.note', true)"""
        now_pid, user, login, path, zone, memory, note = raw.execute(one).fetchone()
        assert now_pid == pid[0], "the pool gave another connection"
        assert user == login == pooled.settings_dict["USER"]
        assert A not in path
        assert (zone, note or "") == ("UTC", "")
        assert memory != "1MB"
        for left in ("pg_prepared_statements", "pg_cursors", "pg_listening_channels()"):
            assert raw.execute(f"SELECT count(*) FROM {left}").fetchone() == (0,), left
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        assert raw.execute(locks).fetchone() == (0,)


def test_a_transaction_left_open_is_undone_on_the_way_back(pooled: DatabaseWrapper) -> None:
    """ISO-13: whoever closes in the middle leaves no transaction, role or lock to the next."""
    with tenant_scope(ACME, A):
        pooled.set_autocommit(False)
        _ask(pooled, "UPDATE customers_customer SET name = 'Mallory'")
        pooled.close()
    with tenant_scope(GLOBEX, B):
        assert _ask(pooled, "SELECT name FROM customers_customer WHERE number = 'C-1001'") == ("Charlie Chen",)
        pooled.close()
    with tenant_scope(ACME, A):
        assert _ask(pooled, "SELECT count(*) FROM customers_customer WHERE name = 'Mallory'") == (0,)


def test_a_connection_that_cannot_be_cleaned_does_not_go_back(pooled: DatabaseWrapper) -> None:
    """ISO-13: the pool puts a new one in its place."""
    with tenant_scope(ACME, A):
        pid = _ask(pooled, "SELECT pg_backend_pid()")
        with databases.admin() as superuser:
            superuser.execute("SELECT pg_terminate_backend(%s, 5000)", pid)
        pooled.close()
    with tenant_scope(GLOBEX, B):
        assert _ask(pooled, "SELECT pg_backend_pid()") != pid
        assert _ask(pooled, "SELECT current_user") == (B,)
