"""A worker killed by the operating system loses nothing and repeats nothing (R-TASK, reliability.md kill points)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests import databases

SCHEMA = "t_ac3e00000000000000000001"
NAME = f"test_import_kill_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
ROWS = 6_000


@pytest.fixture
def own_database(db: None) -> Iterator[psycopg.Connection[Any]]:
    """A copy of the cast's database that really commits."""
    databases.clone(NAME)
    host = databases.connection_host()
    with psycopg.connect(host=host, user="postgres", dbname=NAME, autocommit=True) as connection:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(SCHEMA)))
        yield connection
    with databases.admin() as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(NAME)))


def start(media: Path, source: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.portal.importing.killable", NAME, str(media), source]
    return subprocess.Popen(command, cwd=Path(__file__).parents[3])


def test_a_worker_killed_in_the_middle_is_replaced_and_every_customer_exists_once(
    own_database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    source = tmp_path / "people.csv"
    people = "".join(f"K-{n},Person {n},p{n}@example.com\n" for n in range(ROWS))
    source.write_text(f"Customer ID,Name,Email\n{people}")
    worker = start(tmp_path, str(source))
    try:
        job = wait_until_running(own_database, worker)
        os.kill(worker.pid, signal.SIGKILL)
    finally:
        worker.wait()
    state, done, created = own_database.execute(
        "SELECT state, next_row, created_count FROM importing_transferjob WHERE id = %s", [job]
    ).fetchone() or ("", 0, 0)
    assert state == "running"
    assert 0 < done < ROWS
    assert count(own_database) == created == done
    assert start(tmp_path, str(job)).wait() == 0
    row = own_database.execute(
        "SELECT state, next_row, created_count, starts FROM importing_transferjob WHERE id = %s", [job]
    ).fetchone()
    assert row == ("done", ROWS, ROWS, 2)
    assert count(own_database) == ROWS
    emails = own_database.execute("SELECT count(*), count(DISTINCT value) FROM customers_contactpoint").fetchone()
    assert emails is not None
    assert emails[0] - emails[1] == 0


def wait_until_running(connection: psycopg.Connection[Any], worker: subprocess.Popen[bytes]) -> object:
    """Return the job once it has stored some rows; the worker must still be at it."""
    while worker.poll() is None:
        row = connection.execute(
            "SELECT id FROM importing_transferjob WHERE next_row > 0 AND state = 'running'"
        ).fetchone()
        if row:
            return row[0]
        time.sleep(0.02)
    raise AssertionError("the worker ended before it could be killed")


def count(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT count(*) FROM customers_customer WHERE external_id LIKE 'K-%'").fetchone()
    assert row is not None
    return int(row[0])
