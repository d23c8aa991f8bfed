"""The clock process: sweeps that find whatever a lost message, a dead worker or an absent broker left lying."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterable
from threading import Event
from types import FrameType

import psycopg

import config.worker

# isort: split
from django.db import connection
from django.utils import timezone

import config.outbox_sweeps  # noqa: F401  adds its sweeps
from infra.sweeps import SWEEPS, Sweep
from provisioning.fence import direct_connection, lock_key

log = logging.getLogger("porchlight.clock")

TICK_SECONDS = 0.5
LOCK = lock_key("clock")


class Clock:
    """Calls each sweep when its time has come, as long as no other clock does."""

    def __init__(self, sweeps: Iterable[Sweep]) -> None:
        self._due = {sweep.name: 0.0 for sweep in sweeps}
        self._sweeps = tuple(sweeps)
        self._stopped = Event()

    def stop(self, *_: int | FrameType | None) -> None:
        """End after the sweep that is running."""
        self._stopped.set()

    def run(self) -> None:
        """Wait until this clock is the only one, then sweep; begin again when the database has been away."""
        while not self._stopped.is_set():
            try:
                with direct_connection() as direct:
                    self._run_as_the_only_one(direct)
            except psycopg.Error as error:
                log.warning("the database is away", extra={"error": str(error)})
            self._stopped.wait(2)

    def _run_as_the_only_one(self, direct: psycopg.Connection[tuple[object, ...]]) -> None:
        row = direct.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
        if not row or not row[0]:
            return
        log.info("the clock runs")
        while not self._stopped.wait(TICK_SECONDS):
            direct.execute("SELECT 1")
            self.tick()

    def tick(self) -> None:
        """Call what is due; one sweep's fault does not keep the others from their work."""
        for sweep in self._sweeps:
            if time.monotonic() < self._due[sweep.name]:
                continue
            self._due[sweep.name] = time.monotonic() + sweep.every_seconds
            try:
                sweep.body(timezone.now())
            except Exception:
                log.exception("a sweep failed", extra={"sweep": sweep.name})
            finally:
                connection.close()


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    clock = Clock(SWEEPS)
    signal.signal(signal.SIGTERM, clock.stop)
    signal.signal(signal.SIGINT, clock.stop)
    clock.run()


if __name__ == "__main__":
    main()
