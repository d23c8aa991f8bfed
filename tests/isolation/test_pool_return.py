"""What a connection may carry from one user to the next through the pool: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connections

from tenants.backend.base import DatabaseWrapper
from tenants.backend.refusals import ScopeNotApplied, StaleCursor
from tenants.scope import enter, make_tenant_scope, owner_scope, tenant_scope
from tests import databases
from tests.cast import ACME, GLOBEX

A = "t_ac3e00000000000000000001"
B = "t_610be8000000000000000002"


@pytest.fixture
def pooled(db: None) -> Iterator[DatabaseWrapper]:
    """A second connection to the test's database that comes from a pool of one."""
    yield from _pooled(connections["default"].settings_dict["USER"], size=1)


@pytest.fixture
def pooled_of_two(db: None) -> Iterator[DatabaseWrapper]:
    """The same from a pool of two."""
    yield from _pooled(connections["default"].settings_dict["USER"], size=2)


@pytest.fixture
def pooled_owner(db: None) -> Iterator[DatabaseWrapper]:
    """The same as the schemas' owner, who alone may make a table."""
    yield from _pooled(str(urlsplit(settings.ENV.database_url).username), size=1)


def _pooled(user: str, *, size: int) -> Iterator[DatabaseWrapper]:
    given: dict[str, Any] = {**connections.settings["default"], "CONN_MAX_AGE": 0, "USER": user}
    given["NAME"] = connections["default"].settings_dict["NAME"]
    given["OPTIONS"] = {**given["OPTIONS"], "pool": {"min_size": size, "max_size": size, "timeout": 5}}
    made = DatabaseWrapper(given, "pooled")
    try:
        yield made
    finally:
        made.close()
        made.close_pool()


def _ask(wrapper: DatabaseWrapper, sql: str) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None


# No session lock: it is let go on the way back, by cleaning at once, and what follows would show nothing.
LEFT_BEHIND = (
    "SET TimeZone = 'Asia/Tokyo'",
    "SET work_mem = '1MB'",
    "SELECT set_config('my.note', 'Alice Archer', false)",
    "PREPARE mine AS SELECT name FROM customers_customer",
    "LISTEN gossip",
    "DECLARE held CURSOR WITH HOLD FOR SELECT name FROM customers_customer",
)
SESSION = """SELECT pg_backend_pid(), session_user, current_setting('TimeZone'), current_setting('work_mem') <> '1MB',
                    coalesce(current_setting('my.note', true), '')"""
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
TEMPORARY = "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND pg_table_is_visible(oid)"


def _leave_things_behind(wrapper: DatabaseWrapper) -> int:
    """Use the pool's only connection as Acme, without tidying up; returns its process."""
    with tenant_scope(ACME, A):
        for statement in LEFT_BEHIND:
            _ask(wrapper, statement)
        (pid,) = _ask(wrapper, "SELECT pg_backend_pid()")
        wrapper.close()
    return int(pid)


def _assert_nothing_is_left(wrapper: DatabaseWrapper, pid: int) -> None:
    assert _ask(wrapper, SESSION) == (pid, wrapper.settings_dict["USER"], "UTC", True, "")
    for left in ("pg_prepared_statements", "pg_cursors", "pg_listening_channels()"):
        assert _ask(wrapper, f"SELECT count(*) FROM {left}") == (0,), left
    assert _ask(wrapper, LOCKS) == (0,)


def test_the_next_user_finds_nothing_of_the_last_one(pooled: DatabaseWrapper) -> None:
    """ISO-13, D41: settings, locks, prepared statements, cursors, listening; role and path are its own."""
    pid = _leave_things_behind(pooled)
    with tenant_scope(GLOBEX, B):
        assert _ask(pooled, "SELECT current_user, current_setting('search_path')") == (B, B)
        _assert_nothing_is_left(pooled, pid)


def test_the_next_user_whose_first_message_carries_proof_and_read_finds_nothing_either(
    pooled: DatabaseWrapper,
) -> None:
    """ISO-13: cleaning is the first thing in that message, so the read beside the proof sees a clean session."""
    pid = _leave_things_behind(pooled)
    rows: list[Any] = []
    with tenant_scope(GLOBEX, B):
        seen = pooled.read_behind(
            "SELECT current_user, current_setting('TimeZone')", rows.append, lambda: _ask(pooled, SESSION)
        )
        assert rows == [(B, "UTC")]
        assert seen == (pid, pooled.settings_dict["USER"], "UTC", True, "")
        _assert_nothing_is_left(pooled, pid)


@pytest.mark.parametrize("ends", ["rollback", "commit"])
def test_what_was_cleaned_away_does_not_come_back_with_a_rollback(pooled: DatabaseWrapper, ends: str) -> None:
    """ISO-13: settings are undone with the transaction that changed them, so cleaning is never part of one."""
    pid = _leave_things_behind(pooled)
    with tenant_scope(GLOBEX, B):
        pooled.set_autocommit(False)
        _assert_nothing_is_left(pooled, pid)
        getattr(pooled, ends)()
        pooled.set_autocommit(True)
        _assert_nothing_is_left(pooled, pid)
        assert _ask(pooled, "SELECT current_user") == (B,)


def test_a_first_message_that_fails_cleans_nothing_and_ends_the_connection(pooled: DatabaseWrapper) -> None:
    """ISO-01, ISO-13: the server undoes the whole message, cleaning included."""
    pid = _leave_things_behind(pooled)
    with enter(make_tenant_scope(GLOBEX, "t_00000000000000000000dead")), pytest.raises(ScopeNotApplied):
        _ask(pooled, "SELECT 1")
    with tenant_scope(GLOBEX, B):
        assert _ask(pooled, "SELECT pg_backend_pid()") != (pid,)
        assert _ask(pooled, "SHOW TimeZone") == ("UTC",)


def test_a_lock_is_let_go_when_the_connection_goes_back(pooled: DatabaseWrapper) -> None:
    """ISO-13: others may wait for it, while nobody may want the connection for long."""
    with tenant_scope(ACME, A):
        pid, _ = _ask(pooled, "SELECT pg_backend_pid(), pg_advisory_lock(42)")
        pooled.close()
    with databases.admin() as superuser:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s"
        assert superuser.execute(held, [pid]).fetchone() == (0,)


def test_a_cursor_is_worth_nothing_once_its_connection_went_back(pooled_of_two: DatabaseWrapper) -> None:
    """D14: somebody else may have the connection by now."""
    other = DatabaseWrapper(pooled_of_two.settings_dict, pooled_of_two.alias)
    assert pooled_of_two.pool
    pooled_of_two.pool.open(wait=True)
    with tenant_scope(ACME, A):
        cursor = pooled_of_two.cursor()
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
        pooled_of_two.close()
        # The pool hands out in turn: what went back last comes last.
        assert _ask(pooled_of_two, "SELECT pg_backend_pid()") != (pid,)
        assert _ask(other, "SELECT pg_backend_pid()") == (pid,)
        with pytest.raises(StaleCursor):
            cursor.execute("SELECT name FROM customers_customer")
        other.close()


def test_a_temporary_table_goes_too(pooled_owner: DatabaseWrapper) -> None:
    """ISO-13: only the schemas' owner may make one at all."""
    with owner_scope():
        _ask(pooled_owner, "CREATE TEMP TABLE mine AS SELECT 'Alice Archer' AS name")
        assert _ask(pooled_owner, TEMPORARY) == (1,)
        pooled_owner.close()
    with owner_scope():
        assert _ask(pooled_owner, TEMPORARY) == (0,)


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
