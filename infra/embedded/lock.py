"""Lets one `./porchlight up` at a time use a checkout."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.embedded.errors import ServiceError


@contextmanager
def exclusive(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file, which names our process.

    The system's lock on the open file decides, not the number in it: it goes away with its process, so a file
    that a killed run left behind is taken over with a sentence. Raises ServiceError while another is alive.
    """
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ServiceError(
                f"Porchlight is already running from this folder (process {_number_in(path)}). Stop it with "
                "Ctrl-C in its terminal, or run a second checkout with another port: "
                "`PORT=8100 ./porchlight up`."
            ) from error
        if left_by := _number_in(path):
            say(f"The last run (process {left_by}) was cut off; its lock was stale and has been removed.")
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _number_in(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
