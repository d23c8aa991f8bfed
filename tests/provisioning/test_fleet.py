"""A release reaches every schema: planned once, in waves, past the poisoned and the locked (platform.md 3.7)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone

from provisioning import fleet_steps, fleet_worker
from provisioning.blueprint import SELF
from provisioning.fence import direct_connection, lock_key
from provisioning.fleet import (
    FleetBusy,
    NothingToChange,
    behind,
    fleet_status,
    hold_schema,
    make_plans,
    pause_fleet,
    retry_schemas,
    roll_out,
)
from provisioning.models import MigrationPlan, MigrationState, MigrationWave, SchemaSlot
from provisioning.schemas import current_release, fingerprint, migrate_schema
from provisioning.slots import read_stamp
from provisioning.templates import ensure_template
from tenants.audit import SYSTEM
from tenants.models import PlatformAuditEvent, Tenant
from tenants.scope import control_scope, owner_scope
from tests.provisioning.schemas import alter, catalogue, schemas, superuser
from tests.provisioning.yesterday import make_fleet

pytestmark = pytest.mark.usefixtures("own_database")

POISON = "ALTER TABLE {}.payments_paymentattempt OWNER TO postgres"
ANTIDOTE = "ALTER TABLE {}.payments_paymentattempt OWNER TO porchlight_owner"


def _roll_out(connections: int = 2) -> object:
    return roll_out(by=SYSTEM, now=timezone.now(), connections=connections)


def _state(schema: str) -> MigrationState:
    with control_scope():
        return MigrationState.objects.get(schema_name=schema)


def _applied(schema: str) -> int:
    with owner_scope(schema), connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT (app, name)) FROM django_migrations")
        rows, distinct = cursor.fetchone()
    assert rows == distinct
    return int(rows)


def _assert_migrated(names: list[str]) -> None:
    """The schema, the ledger and what routing looks at say the same."""
    wanted = ensure_template(timezone.now())[0].fingerprint
    assert {fingerprint(name) for name in names} == {wanted}
    facts = {"release": current_release(), "fingerprint": wanted}
    with control_scope():
        assert SchemaSlot.objects.filter(schema_name__in=names, **facts).count() == len(names)
        companies = Tenant.objects.filter(schema_name__in=names)
        assert set(companies.values_list("schema_release", "schema_fingerprint")) <= {tuple(facts.values())}
    assert len({_applied(name) for name in names}) == 1


def _stamps(names: list[str]) -> set[bool]:
    """Whether the ledger has each schema's stamp of this moment."""
    with control_scope():
        kept = dict(SchemaSlot.objects.filter(schema_name__in=names).values_list("schema_name", "stamp"))
    return {kept[name] == read_stamp(name) for name in names}


@contextmanager
def _reader_of(schema: str) -> Iterator[None]:
    """Hold what a long report holds on every table of a company."""
    with superuser() as conn, conn.transaction():
        for (table,) in conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema]).fetchall():
            conn.execute(f"LOCK TABLE {schema}.{table} IN ACCESS SHARE MODE")
        yield


def _wait_until(true: object) -> None:
    deadline = time.monotonic() + 90
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_every_schema_gets_the_release_and_equals_one_that_was_migrated_by_hand() -> None:
    """Slot, tenant row and schema agree; no rehearsal is left behind."""
    companies, waiting = make_fleet(companies=4, waiting=1)
    before = schemas()
    assert behind() == {"yesterday": 5}
    status = _roll_out()
    assert (status.is_complete, status.done, status.failed) == (True, 5, 0)
    _assert_migrated(companies + waiting)
    assert _stamps(companies + waiting) == {True}
    assert schemas() == before
    assert catalogue(companies[0]) == catalogue("t_ac3e00000000000000000001")
    at = catalogue(companies[0])
    migrate_schema(companies[0])
    assert catalogue(companies[0]) == at
    with control_scope():
        assert PlatformAuditEvent.objects.filter(action="fleet.rolled_out").count() == 1


def test_new_tables_come_with_their_rights() -> None:
    """A company's role may use them as if they had always been there, and no more than that."""
    companies, _ = make_fleet(companies=2, without="importing")
    assert _roll_out().is_complete
    _assert_migrated(companies)
    assert catalogue(companies[0]) == catalogue("t_ac3e00000000000000000001")
    with control_scope():
        statements = MigrationPlan.objects.get().statements
    # Each new table is named: for all tables the server would read the names of every company's.
    assert [each for each in statements if each.startswith("GRANT")]
    assert not [each for each in statements if "ALL TABLES" in each]


def test_a_schema_that_was_touched_without_effect_is_proved_the_long_way() -> None:
    companies, _ = make_fleet(companies=2)
    alter(f"REINDEX TABLE {companies[0]}.customers_customer")
    assert _roll_out().is_complete
    _assert_migrated(companies)
    assert (_stamps(companies[:1]), _stamps(companies[1:])) == ({False}, {True})


def test_a_schema_that_was_changed_by_hand_does_not_pass_for_migrated() -> None:
    """Wherever the change is, in what the release touches or elsewhere."""
    companies, _ = make_fleet(companies=3)
    alter(f"ALTER TABLE {companies[0]}.customers_customer ADD COLUMN extra integer")
    alter(f"ALTER TABLE {companies[1]}.payments_paymentattempt ADD COLUMN extra integer")
    before = [catalogue(name) for name in companies[:2]]
    assert (_roll_out().done, fleet_status().failed) == (1, 2)
    assert [catalogue(name) for name in companies[:2]] == before
    assert "not as its template" in _state(companies[0]).error
    assert "not as its template" in _state(companies[1]).error


def test_the_plan_is_made_once_and_names_no_schema() -> None:
    make_fleet(companies=1)
    first, again = make_plans(timezone.now()), make_plans(timezone.now())
    assert [plan.pk for plan in first] == [plan.pk for plan in again]
    assert any(statement.startswith("ALTER TABLE") for statement in first[0].statements)
    assert not [
        statement for statement in first[0].statements if re.search(r"\bt_", statement) and SELF not in statement
    ]


def test_when_there_is_nothing_to_do_no_schema_is_looked_at() -> None:
    """The release table answers; not even a plan is made."""
    assert behind() == {}
    assert _roll_out().is_complete
    with control_scope():
        assert not MigrationPlan.objects.exists()
        assert not MigrationWave.objects.exists()


def test_schemas_that_wait_go_first_and_stop_the_release_before_any_company_is_touched() -> None:
    """Acceptance check 39: they are the canaries."""
    companies, (canary,) = make_fleet(companies=2, waiting=1)
    alter(POISON.format(canary))
    before = {name: fingerprint(name) for name in companies}
    status = _roll_out()
    assert (status.is_complete, status.done, status.failed) == (False, 0, 1)
    assert status.stopped == "waiting schemas: stopped"
    assert {name: fingerprint(name) for name in companies} == before
    assert _roll_out().done == 0
    alter(ANTIDOTE.format(canary))
    retry_schemas(by=SYSTEM, now=timezone.now())
    assert _roll_out().is_complete
    _assert_migrated([*companies, canary])


def test_a_poisoned_company_keeps_nobody_else_from_the_release_and_stays_as_it_was() -> None:
    """Acceptance check 39: one of eight fails; the exact statement is kept; retrying completes it."""
    companies, _ = make_fleet(companies=8)
    poisoned, others = companies[3], companies[:3] + companies[4:]
    alter(POISON.format(poisoned))
    before = catalogue(poisoned)
    status = _roll_out()
    assert (status.done, status.failed, status.behind, status.stopped) == (7, 1, 1, "")
    _assert_migrated(others)
    failed = _state(poisoned)
    with control_scope():
        assert failed.statement in MigrationPlan.objects.get().statements
        assert Tenant.objects.get(schema_name=poisoned).schema_release == "yesterday"
    assert failed.statement.startswith("ALTER TABLE")
    assert "must be owner of table payments_paymentattempt" in failed.error
    assert catalogue(poisoned) == before
    alter(ANTIDOTE.format(poisoned))
    assert retry_schemas(by=SYSTEM, now=timezone.now(), schema=poisoned) == 1
    assert _roll_out().is_complete
    _assert_migrated(companies)


def test_the_failure_budget_stops_the_rest() -> None:
    """Acceptance check 39: three failures in a wave are enough."""
    companies, _ = make_fleet(companies=9)
    for name in companies[2:]:
        alter(POISON.format(name))
    status = _roll_out(connections=1)
    assert status.stopped == "everybody else: stopped"
    assert (status.done, status.failed) == (2, 3)
    with control_scope():
        left = MigrationState.objects.filter(state="pending")
        assert left.count() == 4
        assert set(left.values_list("attempts", flat=True)) == {0}


def test_a_reader_is_waited_for_briefly_again_and_again_and_never_behind_a_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M20: the lock is given up after its timeout, the others go on, and the schema is tried again."""
    monkeypatch.setattr(fleet_steps, "LOCK_TIMEOUT_MS", 150)
    companies, _ = make_fleet(companies=4)
    with ThreadPoolExecutor(1) as thread:
        with _reader_of(companies[1]):
            rolling = thread.submit(_in_thread)
            _wait_until(lambda: _tries(companies[1]) >= 2 and _done() == 3)
            with superuser() as conn:
                conn.execute("SET statement_timeout = 10000")
                conn.execute(f"SELECT count(*) FROM {companies[1]}.payments_paymentattempt")
        assert rolling.result(60).is_complete
    _assert_migrated(companies)


def test_who_is_never_let_in_is_given_up_with_the_statement_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_steps, "LOCK_TIMEOUT_MS", 30)
    monkeypatch.setattr(fleet_worker, "MOST_ATTEMPTS", 2)
    companies, _ = make_fleet(companies=2)
    with _reader_of(companies[0]):
        status = _roll_out()
    assert (status.done, status.failed) == (1, 1)
    assert _state(companies[0]).statement.startswith("ALTER TABLE")
    assert "LockNotAvailable" in _state(companies[0]).error


def _in_thread() -> object:
    try:
        return _roll_out()
    finally:
        connection.close()


def _tries(schema: str) -> int:
    with superuser() as conn:
        row = conn.execute(
            "SELECT attempts FROM provisioning_migrationstate WHERE schema_name = %s", [schema]
        ).fetchone()
    return row[0] if row else 0


def _done() -> int:
    with superuser() as conn:
        return int(
            conn.execute("SELECT count(*) FROM provisioning_migrationstate WHERE state = 'done'").fetchone()[0]  # type: ignore[index]
        )


def test_a_server_process_that_is_killed_while_it_migrates_costs_one_more_try() -> None:
    companies, _ = make_fleet(companies=3)
    with ThreadPoolExecutor(1) as thread:
        with _reader_of(companies[0]):
            rolling = thread.submit(_in_thread)
            _wait_until(lambda: _end_whoever_waits() == 1)
        assert rolling.result(60).is_complete
    assert _state(companies[0]).attempts == 2
    _assert_migrated(companies)


def _end_whoever_waits() -> int:
    with superuser() as conn:
        return conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'SET LOCAL lock_timeout%'"
        ).rowcount


def test_only_one_process_rolls_out() -> None:
    make_fleet(companies=1)
    with direct_connection() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [lock_key("fleet")])
        with pytest.raises(FleetBusy):
            _roll_out()


def test_a_held_schema_is_left_alone_until_it_is_retried() -> None:
    companies, _ = make_fleet(companies=3)
    alter(POISON.format(companies[2]))
    _roll_out()
    hold_schema(schema=companies[2], reason="asked by its owner", by=SYSTEM, now=timezone.now())
    status = fleet_status()
    assert (status.held, status.failed, status.is_complete) == (1, 0, True)
    with pytest.raises(NothingToChange):
        retry_schemas(by=SYSTEM, now=timezone.now())
    alter(ANTIDOTE.format(companies[2]))
    assert _roll_out().held == 1
    retry_schemas(by=SYSTEM, now=timezone.now(), schema=companies[2])
    assert _roll_out().behind == 0


def test_a_paused_roll_out_ends_after_the_schema_it_is_at_and_goes_on_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fleet_steps, "LOCK_TIMEOUT_MS", 100)
    companies, _ = make_fleet(companies=3)
    with pytest.raises(NothingToChange):
        pause_fleet(by=SYSTEM, now=timezone.now())
    with _reader_of(companies[0]), ThreadPoolExecutor(1) as thread:
        rolling = thread.submit(_in_thread)
        _wait_until(lambda: _tries(companies[0]) >= 1)
        pause_fleet(by=SYSTEM, now=timezone.now())
        assert rolling.result(60).stopped == "one percent: paused"
    assert fleet_status().done == 0
    assert _roll_out().is_complete
    _assert_migrated(companies)
