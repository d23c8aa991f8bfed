"""Writes what `./porchlight up` tells the person in front of it."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.env_casts import ROOT

_IMPORTANT = re.compile(r"\b(error|critical|fatal|panic)\b", re.IGNORECASE)
_HARMLESS = re.compile(r"Traceback|^\s")
_LONGEST = 200


def shown(path: Path) -> str:
    """Return a path as a person standing in the checkout would write it."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


class Terminal:
    """Plain lines, no cursor tricks: the output reads the same in a log file."""

    def __init__(self, *, verbose: bool = False) -> None:
        self.verbose = verbose
        self._open_line = False

    def say(self, text: str = "") -> None:
        """Write one or more whole lines."""
        self._write(("\n" if self._open_line else "") + text + "\n")
        self._open_line = False

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that something slow is going on, and how long it took."""
        started = time.monotonic()
        self._write(f"  {text} …")
        self._open_line = True
        try:
            yield
        except BaseException:
            self.say()
            raise
        took = f" {time.monotonic() - started:.1f} s\n"
        self._write(took if self._open_line else f"  {text}: done,{took}")
        self._open_line = False

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            # The terminal was closed; the hang-up signal that comes with it ends us in order.
            return


class LogTail:
    """Follows one process's log and shows its important lines, or all of them."""

    def __init__(self, name: str, path: Path, terminal: Terminal) -> None:
        self.name, self.path, self.terminal = name, path, terminal
        self._at = path.stat().st_size if path.exists() else 0
        self._quiet_until = 0.0

    def show_new(self) -> None:
        """Show what was written since the last call."""
        try:
            with self.path.open("rb") as log:
                log.seek(self._at)
                fresh = log.read(1_000_000)
        except OSError:
            return
        complete = fresh[: fresh.rfind(b"\n") + 1]
        self._at += len(complete)
        for line in complete.decode(errors="replace").splitlines():
            if self.terminal.verbose:
                self.terminal.say(f"{self.name:<12}{line}")
            elif _IMPORTANT.search(line) and not _HARMLESS.search(line):
                self._show_important(line)

    def _show_important(self, line: str) -> None:
        # One line in two seconds: a storm of errors must not hide the sentences that say what to do.
        if time.monotonic() < self._quiet_until:
            return
        self._quiet_until = time.monotonic() + 2
        self.terminal.say(f"{self.name}: {line[:_LONGEST]}   (more in {shown(self.path)})")
