"""What the clock does again and again: each package adds its own sweep; none of them may be needed twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

SweepBody = Callable[[datetime], object]


@dataclass(frozen=True, slots=True)
class Sweep:
    """One function and the seconds between two of its calls."""

    name: str
    every_seconds: float
    body: SweepBody


SWEEPS: list[Sweep] = []


def every(seconds: float) -> Callable[[SweepBody], SweepBody]:
    """Add a function `(now)` to what the clock calls; it is imported with its application's `tasks` module."""

    def add(body: SweepBody) -> SweepBody:
        SWEEPS.append(Sweep(f"{body.__module__}.{body.__qualname__}", seconds, body))
        return body

    return add
