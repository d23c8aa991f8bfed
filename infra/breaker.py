"""A circuit breaker: after a row of failures nobody asks for a while, then one asks first; one for each process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("porchlight.breaker")

FAILURES = 5
FIRST_REST, LONGEST_REST = 10.0, 60.0


class Breaker:
    """Closed, it counts failures in a row; open, it refuses until its rest is over and then lets one call try.

    A rest begins with 10 seconds and doubles up to a minute while the tries fail. The clock is in seconds.
    """

    def __init__(self, name: str, *, failures: int = FAILURES, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.failures = failures
        self.clock = clock
        self._lock = threading.Lock()
        self.close()

    def close(self) -> None:
        """Forget every failure."""
        with self._lock:
            self._in_a_row = 0
            self._rest = 0.0
            self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a call would be refused now; asking changes nothing."""
        with self._lock:
            return bool(self._rest) and self.clock() < self._until

    def may_call(self) -> bool:
        """Whether a call may be made now; after a rest one caller may, and the others wait for what it finds."""
        with self._lock:
            if not self._rest:
                return True
            if self.clock() < self._until:
                return False
            self._until = self.clock() + self._rest
            return True

    def note_success(self) -> None:
        """Take calls again: somebody was answered."""
        with self._lock:
            was_open, self._in_a_row, self._rest = bool(self._rest), 0, 0.0
        if was_open:
            log.warning("it answers again", extra={"breaker": self.name})

    def note_failure(self) -> None:
        """Count a call that was not answered; rest when there were too many in a row."""
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row < self.failures:
                return
            self._rest = min(max(FIRST_REST, self._rest * 2), LONGEST_REST)
            self._until = self.clock() + self._rest
            rest = self._rest
        log.error("it does not answer; nobody asks for a while", extra={"breaker": self.name, "seconds": rest})
