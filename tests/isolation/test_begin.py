"""A transaction's BEGIN travels with its first statement, and is a transaction all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DataError, InternalError, connections, transaction
from psycopg import sql
from psycopg.pq import TransactionStatus

from portal.customers.models import Customer
from tenants.backend.base import DatabaseWrapper
from tenants.scope import tenant_scope
from tests.cast import ACME

A = "t_ac3e00000000000000000001"


@contextmanager
def _statements(wrapper: DatabaseWrapper) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(execute: Any, text: str, params: Any, many: bool, context: Any) -> Any:
        sent.append(text)
        return execute(text, params, many, context)

    with wrapper.execute_wrapper(note):
        yield sent


@pytest.fixture
def own(db: None) -> Iterator[DatabaseWrapper]:
    """A connection of its own, which no test's transaction surrounds."""
    given = connections["default"].settings_dict
    options = {key: value for key, value in given["OPTIONS"].items() if key != "pool"}
    made = DatabaseWrapper({**given, "OPTIONS": options, "CONN_MAX_AGE": None}, "own")
    connections[made.alias] = made
    try:
        yield made
    finally:
        made.close()
        del connections[made.alias]


def _state(wrapper: DatabaseWrapper) -> TransactionStatus:
    return TransactionStatus(wrapper.connection.info.transaction_status)


def test_a_transactions_begin_travels_with_its_first_statement(own: DatabaseWrapper) -> None:
    """One round trip less for each page that asks more than its first read."""
    with tenant_scope(ACME, A), _statements(own) as sent, own.cursor() as cursor:
        cursor.execute("SELECT 1")
        with transaction.atomic(using="own"):
            assert _state(own) is TransactionStatus.IDLE
            cursor.execute("SELECT name FROM customers_customer WHERE number = %s", ["C-1001"])
            assert _state(own) is TransactionStatus.INTRANS
            assert cursor.fetchall() == [("Alice Archer",)]
            assert cursor.rowcount == 1
            cursor.execute("SELECT 2")
        assert _state(own) is TransactionStatus.IDLE
    assert [each.partition(" FROM")[0] for each in sent] == ["SELECT 1", "BEGIN; SELECT name", "SELECT 2"]


def _end(wrapper: DatabaseWrapper) -> None:
    wrapper.rollback()
    wrapper.set_autocommit(True)


def test_what_a_first_statement_writes_is_undone_with_its_transaction(own: DatabaseWrapper) -> None:
    """A statement that would commit by itself would be a silent loss of the transaction."""
    change = "UPDATE customers_customer SET name = %s WHERE number = 'C-1001'"
    with tenant_scope(ACME, A), own.cursor() as cursor:
        ways: tuple[Callable[[], Any], ...] = (
            lambda: cursor.execute(change, ["Mallory"]),
            lambda: cursor.executemany(change, [["Mallory"], ["Trudy"]]),
            lambda: cursor.execute(sql.SQL("UPDATE customers_customer SET name = 'Mallory'")),
        )
        for change_somehow in ways:
            own.set_autocommit(False)
            change_somehow()
            assert cursor.rowcount > 0
            _end(own)
        cursor.execute("SELECT count(*) FROM customers_customer WHERE name IN ('Mallory', 'Trudy')")
        assert cursor.fetchone() == (0,)


def test_a_first_statement_that_fails_leaves_its_transaction_failed(own: DatabaseWrapper) -> None:
    """Nothing may follow it as if nothing had happened; after the rollback the scope is entered anew."""
    with tenant_scope(ACME, A), own.cursor() as cursor:
        own.set_autocommit(False)
        with pytest.raises(DataError):
            cursor.execute("SELECT 1/0")
        with pytest.raises(InternalError, match="aborted"):
            cursor.execute("SELECT 1")
        _end(own)
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (A,)


def test_a_stream_is_no_first_statement_of_that_kind(own: DatabaseWrapper) -> None:
    """A named cursor takes one statement at a time."""
    with tenant_scope(ACME, A), transaction.atomic(using="own"):
        names = list(Customer.objects.using("own").order_by("number").values_list("name", flat=True).iterator())
    assert names[0] == "Alice Archer"
