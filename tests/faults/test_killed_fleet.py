"""A roll-out or a builder that dies anywhere is taken up by the next; nothing is half, nothing is done twice (F-90)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from provisioning import fleet, fleet_worker, plans, pool, templates
from provisioning.fence import lock_key
from provisioning.fleet import behind, fleet_status, roll_out
from provisioning.models import MigrationState, SchemaSlot
from provisioning.pool import clean_pool, fill_pool
from provisioning.schemas import current_release, fingerprint
from provisioning.slots import make_slot
from provisioning.templates import ensure_template
from tenants.audit import SYSTEM
from tenants.scope import control_scope, owner_scope
from tests.live import ROOT
from tests.provisioning.schemas import alter, schemas, superuser
from tests.provisioning.yesterday import make_fleet

pytestmark = pytest.mark.usefixtures("own_database")

FLEET_POINTS = (fleet_worker.BEFORE, fleet_worker.AFTER, fleet_worker.RECORDED)
PROCESS_POINTS = (*FLEET_POINTS, fleet.ENROLLED, plans.WITHIN, templates.WITHIN)
SLOW = "SELECT pg_sleep(2)"


def _start(database: str, *words: str, **extra: str) -> subprocess.Popen[bytes]:
    """Start one of our programs in a process of its own, as the schemas' owner."""
    environ = dict(os.environ) | {
        "DATABASE_URL": urlsplit(settings.ENV.database_url)._replace(path=f"/{database}").geturl(),
        "DATABASE_LOGIN": "owner",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
    }
    output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environ | extra, **output)  # type: ignore[call-overload,no-any-return]


def _run(database: str, *words: str, **extra: str) -> tuple[int, str]:
    """Run it to its end; returns its exit status and what it complained of."""
    with _start(database, *words, **extra) as process:
        _, said = process.communicate(timeout=120)
        return process.returncode, said.decode()


def _assert_whole(names: list[str]) -> None:
    """Every schema is the release's, was migrated once, and ledger, slot and company say so."""
    wanted = ensure_template(timezone.now())[0].fingerprint
    assert {fingerprint(name) for name in names} == {wanted}
    for name in names:
        with owner_scope(name), connection.cursor() as cursor:
            cursor.execute("SELECT count(*), count(DISTINCT (app, name)) FROM django_migrations")
            rows, distinct = cursor.fetchone()
        assert rows == distinct
    with control_scope():
        assert set(MigrationState.objects.values_list("state", flat=True)) == {"done"}
        slots = SchemaSlot.objects.filter(schema_name__in=names, release=current_release(), fingerprint=wanted)
        assert slots.count() == len(names)
    assert fleet_status().is_complete
    assert behind() == {}


@pytest.mark.parametrize("point", PROCESS_POINTS)
def test_a_killed_roll_out_is_taken_up_by_the_next(own_database: str, point: str) -> None:
    """F-90, R-PROV-4: SIGKILL of the process at each of its boundaries."""
    companies, waiting = make_fleet(companies=4, waiting=1)
    if point == templates.WITHIN:
        alter(f"DELETE FROM provisioning_schematemplate WHERE release = '{current_release()}'")
    before = schemas()
    assert _run(own_database, "manage.py", "provision_migrate", CRASH_AT=point)[0] == -signal.SIGKILL
    code, said = _run(own_database, "manage.py", "provision_migrate")
    assert code == 0, said
    _assert_whole(companies + waiting)
    assert schemas() == before


@pytest.mark.parametrize("point", FLEET_POINTS)
def test_the_server_ends_the_workers_connection_at_a_boundary(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-90: the same roll-out goes on by itself, on another connection."""
    companies, waiting = make_fleet(companies=5, waiting=2)
    ended: list[str] = []
    with owner_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (spare,) = cursor.fetchone()

    def end_connection(name: str) -> None:
        if name == point and len(ended) < 3:
            ended.append(name)
            _end_workers(spare)

    monkeypatch.setattr(fleet_worker, "crash_point", end_connection)
    assert roll_out(by=SYSTEM, now=timezone.now()).is_complete
    assert len(ended) == 3
    _assert_whole(companies + waiting)


def test_the_server_ends_every_connection_again_and_again() -> None:
    """Whatever the workers are at, the fleet arrives; a roll-out whose own connection went is started again.

    A schema may be met each time, on a slow machine above all, and is given up when its tries are used up.
    """
    companies, _ = make_fleet(companies=12)
    strikes = 0
    with ThreadPoolExecutor(1) as thread:
        for _attempt in range(20):
            rolling = thread.submit(_roll_out_in_thread)
            while not rolling.done():
                time.sleep(0.07)
                if strikes < fleet_worker.MOST_ATTEMPTS - 1:
                    strikes += _end_workers() > 0
            if rolling.result():
                break
    assert strikes > 1
    assert roll_out(by=SYSTEM, now=timezone.now()).is_complete
    _assert_whole(companies)


def _roll_out_in_thread() -> bool:
    try:
        return roll_out(by=SYSTEM, now=timezone.now()).is_complete
    except OperationalError:
        return False
    finally:
        connection.close()


def _end_workers(spare: int = 0) -> int:
    """End the connections of the roll-out; returns how many there were."""
    with superuser() as conn:
        ended = conn.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND query ~ 'provisioning_migrationstate|^SET LOCAL lock_timeout|^SET sync'"
            " AND usename <> 'postgres' AND pid <> %s",
            [spare],
        )
        return len(ended.fetchall())


# -- the builder of the stock ---------------------------------------------------------------------------------


@pytest.mark.parametrize("point", [pool.WITHIN, templates.WITHIN])
def test_a_killed_builder_leaves_nothing_that_is_not_finished_or_removed(own_database: str, point: str) -> None:
    """ISO-31, ISO-32."""
    if point == templates.WITHIN:
        alter("DELETE FROM provisioning_schematemplate")
    before = schemas()
    build = ("-m", "console.cli", "pool", "build", "2")
    assert _run(own_database, *build, CRASH_AT=point)[0] == -signal.SIGKILL
    code, said = _run(own_database, *build)
    assert code == 0, said
    _assert_stock(before, 2)


def _assert_stock(before: set[str], count: int) -> None:
    with control_scope():
        ready = set(SchemaSlot.objects.filter(state="ready").values_list("schema_name", flat=True))
        assert not SchemaSlot.objects.filter(state__in=["building", "dirty", "dropping"]).exists()
    assert len(ready) == count
    assert schemas() == before | ready
    assert {fingerprint(name) for name in ready} == {ensure_template(timezone.now())[0].fingerprint}
    assert clean_pool(now=timezone.now()) == 0


@pytest.fixture
def slow_template(own_database: str) -> None:
    """Make every schema take two seconds, in the middle of its statements."""
    ensure_template(timezone.now())
    alter(f"UPDATE provisioning_schematemplate SET ddl = '{SLOW};' || chr(10) || ddl")


def test_a_builders_server_process_that_is_ended_leaves_nothing_half(slow_template: None) -> None:
    before = schemas()
    with ThreadPoolExecutor(1) as thread:
        building = thread.submit(_fill_in_thread)
        _wait_until(lambda: _sleeping() != [])
        with superuser() as conn:
            conn.execute("SELECT pg_terminate_backend(%s, 5000)", [_sleeping()[0]])
        with pytest.raises(OperationalError):
            building.result(60)
    assert schemas() == before
    assert fill_pool(now=timezone.now(), target=1) == 1
    _assert_stock(before, 1)


def test_no_second_statement_runs_on_a_schema_while_the_killed_clients_one_does(
    own_database: str, slow_template: None
) -> None:
    """Acceptance check 17, M8: the client is dead, its server process is not, and the next builder waits for it."""
    before = schemas()
    with _start(own_database, "-m", "console.cli", "pool", "build", "1") as first:
        _wait_until(lambda: _sleeping() != [])
        (pid,) = _sleeping()
        first.send_signal(signal.SIGKILL)
    with control_scope():
        left = SchemaSlot.objects.get(state="building").schema_name
    with ThreadPoolExecutor(1) as thread:
        # The pool's own lock is the dead client's too, so whoever comes meanwhile leaves at once.
        assert _fill_in_thread() == 0
        waiting = thread.submit(_make_in_thread, left)
        seen: list[tuple[bool, list[int]]] = []
        while not waiting.done():
            seen.append((_holds(pid, left), _sleeping()))
            time.sleep(0.02)
        waiting.result()
    assert any(held for held, _ in seen), "the first server process was alive when the second builder came"
    assert [pids for held, pids in seen if held and set(pids) - {pid}] == []
    _assert_stock(before, 1)


def _fill_in_thread() -> int:
    try:
        return fill_pool(now=timezone.now(), target=1)
    finally:
        connection.close()


def _make_in_thread(name: str) -> None:
    try:
        with control_scope():
            slot = SchemaSlot.objects.get(schema_name=name)
        make_slot(slot, crash_within=pool.WITHIN)
    finally:
        connection.close()


def _sleeping() -> list[int]:
    """Return the server processes that are in the middle of making a schema."""
    with superuser() as conn:
        rows = conn.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
        ).fetchall()
    return [pid for (pid,) in rows]


def _holds(pid: int, name: str) -> bool:
    """Whether a server process still holds the lock of a schema."""
    key = lock_key(f"schema:{name}")
    high, low = (key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF
    with superuser() as conn:
        row = conn.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = %s"
            " AND classid::bigint = %s AND objid::bigint = %s",
            [pid, high, low],
        ).fetchone()
    return bool(row and row[0])


def _wait_until(true: Any) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
