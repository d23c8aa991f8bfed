"""What a storm found, counted by several threads and printed as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

# On the library's backend these read foreign rows on a quiet day too.
NEEDS_NO_STRIKE = frozenset({"stream", "stray thread"})


@dataclass
class Report:
    """Rows that were read, rows that were somebody else's, and what went wrong on the way."""

    rows: Counter[str] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    short: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    strikes: Counter[str] = field(default_factory=Counter)
    calm: int = 0
    _lock: Lock = field(default_factory=Lock)

    def saw(self, deed: str, mark: str, names: list[str], *, expected: int) -> None:
        """Judge one answer: every name must begin with the company's mark."""
        foreign = [name for name in names if not name.startswith(f"{mark}-")]
        with self._lock:
            self.rows[deed] += len(names)
            self.foreign[deed] += len(foreign)
            self.short[deed] += len(names) != expected
            if foreign and deed not in NEEDS_NO_STRIKE:
                self.samples.append(f"{deed} for {mark} read {foreign[0]}")

    def refuse(self, deed: str, error: BaseException) -> None:
        """Count an error that the database or the guard answered with."""
        with self._lock:
            self.refused[f"{deed}: {type(error).__name__}"] += 1
            self.words[f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"] += 1

    def strike(self, kind: str, hits: int) -> None:
        """Count what was done to the connections."""
        with self._lock:
            self.strikes[kind] += hits

    @property
    def leaks(self) -> int:
        """How many rows were somebody else's because a switch had failed; streams and strays need no strike."""
        return sum(rows for deed, rows in self.foreign.items() if deed not in NEEDS_NO_STRIKE)

    def as_json(self) -> dict[str, Any]:
        """Return everything that was counted."""
        counts = ("rows", "foreign", "short", "refused", "words", "strikes")
        kept: dict[str, Any] = {name: {k: v for k, v in getattr(self, name).items() if v} for name in counts}
        return kept | {"broken": self.broken[:5], "samples": self.samples[:5], "calm": self.calm}
