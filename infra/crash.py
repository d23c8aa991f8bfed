"""Named points at which a test lets a process die, to prove that another one goes on from there (R-PROV-4)."""

from __future__ import annotations

import os
import signal

from infra.env import load_env

_points: set[str] = set()


class UnknownCrashPoint(LookupError):
    """A crash point was passed that nobody declared, so no test could ever ask for it."""


def declare_crash_points(*names: str) -> None:
    """Make names known; each is passed by `crash_point` somewhere."""
    _points.update(names)


def crash_points() -> tuple[str, ...]:
    """Return every declared name, sorted."""
    return tuple(sorted(_points))


def crash_point(name: str) -> None:
    """Die here by SIGKILL when CRASH_AT names this point and this is a demo; raises UnknownCrashPoint."""
    if name not in _points:
        raise UnknownCrashPoint(name)
    env = load_env()
    if env.demo and env.crash_at == name:
        os.kill(os.getpid(), signal.SIGKILL)
