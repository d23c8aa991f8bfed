"""The fence around a run: a session lock on a connection of its own, gone with the process that held it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from tenants.scope import CONTROL_ROLE

log = logging.getLogger("porchlight.provisioning")

HEARTBEAT_SECONDS = 2.0


class FenceLost(RuntimeError):
    """The connection that held the fence has ended: somebody else may be driving the run."""


def direct_connection(role: str = CONTROL_ROLE) -> psycopg.Connection[Any]:
    """Open a connection of our own, past any pool, that may touch the control tables (role "none": all that we own)."""
    given = connection.settings_dict
    return psycopg.connect(
        host=given["HOST"] or None,
        port=given["PORT"] or None,
        dbname=given["NAME"],
        user=given["USER"] or None,
        password=given["PASSWORD"] or None,
        autocommit=True,
        connect_timeout=10,
        options=f"-c search_path=public -c role={role} -c TimeZone=UTC",
    )


def lock_key(name: str) -> int:
    """Return the advisory lock's number for a name."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class Fence:
    """The lock while it is held; beats the run's heart so that nobody takes it for abandoned."""

    def __init__(self, direct: psycopg.Connection[Any], run_id: UUID) -> None:
        self._direct = direct
        self._run_id = run_id
        self._one_at_a_time = Lock()
        self._ended = Event()
        self._heart = Thread(target=self._beat, name="heartbeat", daemon=True)
        self._heart.start()

    def check(self) -> None:
        """Prove that the fence still stands; raises FenceLost."""
        try:
            with self._one_at_a_time:
                self._direct.execute("SELECT 1")
        except psycopg.Error as error:
            raise FenceLost(self._run_id) from error

    def end(self) -> None:
        """Stop the heart."""
        self._ended.set()
        self._heart.join()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            try:
                with self._one_at_a_time:
                    self._direct.execute(
                        "UPDATE provisioning_run SET heartbeat_at = now() WHERE id = %s", [self._run_id]
                    )
            except psycopg.Error:
                # check() refuses the next step; here there is nothing left to keep alive.
                log.warning("the fence's connection ended", extra={"run": str(self._run_id)})
                return


@contextmanager
def hold_fence(run_id: UUID) -> Iterator[Fence | None]:
    """Hold the run's fence for the block, or yield None when another process holds it."""
    with direct_connection() as direct:
        row = direct.execute("SELECT pg_try_advisory_lock(%s)", [lock_key(f"run:{run_id}")]).fetchone()
        if not row or not row[0]:
            yield None
            return
        fence = Fence(direct, run_id)
        try:
            yield fence
        finally:
            fence.end()


def is_free(run_id: UUID) -> bool:
    """Whether nobody drives the run at this moment."""
    with direct_connection() as direct:
        key = lock_key(f"run:{run_id}")
        row = direct.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
        return bool(row and row[0])


@contextmanager
def hold_session_lock(name: str) -> Iterator[None]:
    """Hold a lock on Django's own connection, so that it lasts as long as a statement of ours may still run."""
    key = lock_key(name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [key])
    try:
        yield
    finally:
        _unlock(key)


@contextmanager
def try_session_lock(name: str) -> Iterator[bool]:
    """Hold a lock on Django's own connection for the block, or yield False when somebody else holds it."""
    key = lock_key(name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            _unlock(key)


def _unlock(key: int) -> None:
    # A connection that has ended took its locks along.
    if connection.connection is not None and not connection.connection.closed:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
