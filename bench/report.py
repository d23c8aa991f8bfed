"""What a benchmark says, and how it is shown: JSON for programs, a table for people."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any, NamedTuple, Protocol

RATES = ("rows/s", "tenants/s", "requests/s", "webhooks/s", "payments/s")


class Target(Protocol):
    """Something that a row is to reach."""

    def text(self, row: Row) -> str:
        """Say what is asked for."""

    def met(self, row: Row) -> bool | None:
        """Whether it is reached; None when what it is compared with was not measured."""


@dataclass(frozen=True)
class AtMost:
    """A figure in the row's own unit that ours may not exceed."""

    value: float

    def text(self, row: Row) -> str:
        """Say what is asked for."""
        return f"≤ {self.value:g} {row.unit}"

    def met(self, row: Row) -> bool | None:
        """Whether ours is small enough."""
        return row.ours <= self.value


@dataclass(frozen=True)
class AtLeast:
    """A figure in the row's own unit that ours has to reach."""

    value: float

    def text(self, row: Row) -> str:
        """Say what is asked for."""
        return f"≥ {self.value:g} {row.unit}"

    def met(self, row: Row) -> bool | None:
        """Whether ours is large enough."""
        return row.ours >= self.value


@dataclass(frozen=True)
class TimesBetter:
    """How many times better than a peer ours has to be; the peer is the first whose name begins so, "" the best."""

    times: float
    peer: str = ""

    def text(self, row: Row) -> str:
        """Say what is asked for."""
        return f"≥ {self.times:g} × {self.peer or 'the best peer'}"

    def met(self, row: Row) -> bool | None:
        """Whether ours is so much better."""
        ratio = row.ratio_to(self.peer)
        return None if ratio is None else ratio >= self.times


@dataclass(frozen=True)
class TimesPeer:
    """How many times the peer's figure ours may be, where smaller is better and the peer does less."""

    times: float
    peer: str

    def text(self, row: Row) -> str:
        """Say what is asked for."""
        return f"≤ {self.times:g} × {self.peer}"

    def met(self, row: Row) -> bool | None:
        """Whether ours stays so close."""
        ratio = row.ratio_to(self.peer)
        return None if ratio is None else 1 / ratio <= self.times


@dataclass(frozen=True)
class TimesLimit:
    """How many times the limit ours may be."""

    times: float

    def text(self, row: Row) -> str:
        """Say what is asked for."""
        return f"≤ {self.times:g} × the limit"

    def met(self, row: Row) -> bool | None:
        """Whether ours stays so close."""
        return None if row.limit is None else row.ours <= self.times * row.limit


@dataclass
class Row:
    """One measured quantity; `limit` is the least that the same work could take here.

    A number as target is a TimesBetter; of several targets all have to be met.
    """

    name: str
    unit: str
    ours: float
    peers: Mapping[str, float] = field(default_factory=dict)
    limit: float | None = None
    target: Target | tuple[Target, ...] | float | None = None

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets."""
        if self.target is None:
            return ()
        if isinstance(self.target, tuple):
            return self.target
        return (TimesBetter(self.target) if isinstance(self.target, int | float) else self.target,)

    @property
    def ratio(self) -> float | None:
        """How many times better than the best peer ours is: below 1 the peer wins."""
        return self.ratio_to("")

    def ratio_to(self, peer: str) -> float | None:
        """How many times better than the best of the peers whose names begin so; None when there is none."""
        values = [value for name, value in self.peers.items() if name.startswith(peer)]
        if not values or not self.ours:
            return None
        return self.ours / max(values) if self.unit in RATES else min(values) / self.ours

    @property
    def met(self) -> bool | None:
        """Whether all targets are reached; None when there is none, or something was not measured."""
        found = [target.met(self) for target in self.targets]
        if False in found:
            return False
        return True if found and None not in found else None

    def as_json(self) -> dict[str, Any]:
        """Return the row with what follows from it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": _short(self.ours),
            "peers": {name: _short(value) for name, value in self.peers.items()},
            "limit": None if self.limit is None else _short(self.limit),
            "ratio": None if self.ratio is None else round(self.ratio, 2),
            "target": " and ".join(target.text(self) for target in self.targets) or None,
            "met": self.met,
        }


class Measured(NamedTuple):
    """What a benchmark found: rows, the server's version number, the single measurements, and how it was set up."""

    rows: list[Row]
    postgres: int
    samples: Mapping[str, list[float]] = {}
    durable: bool = False
    remarks: str = ""


def summary(seconds: list[float]) -> tuple[float, float]:
    """Return median and 95th percentile, in milliseconds."""
    values = [second * 1000 for second in seconds]
    if len(values) == 1:
        return values[0], values[0]
    return median(values), quantiles(values, n=20, method="inclusive")[18]


def describe_machine(postgres: int, *, others: float | None, note: str, durable: bool = False) -> dict[str, Any]:
    """Say on what was measured; `postgres` is the server's version number, `others` the cores that other work took."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "postgresql": f"{postgres // 10000}.{postgres % 10000}",
        "durability": f"fsync, synchronous_commit and full_page_writes {'on' if durable else 'off'}",
        "cores_busy_with_other_work": None if others is None else round(others, 2),
        "note": note,
    }


def as_markdown(report: dict[str, Any], plot: str = "") -> str:
    """Return a report as a page; `plot` is the name of the picture that lies beside it."""
    machine = "; ".join(f"{key} {value}" for key, value in report["machine"].items() if value not in ("", None))
    lines = [
        f"# {report['benchmark']}",
        "",
        report["about"],
        "",
        f"Measured on: {machine}.",
        "",
        *([f"![{report['benchmark']}]({plot})", ""] if plot else []),
        "| what | unit | ours | peers | limit | times better than the best peer | target | met |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        peers = ", ".join(f"{name}: {shown(value)}" for name, value in row["peers"].items()) or "none"
        met = {True: "yes", False: "**no**", None: "–"}[row["met"]]
        figures = (shown(row["ours"]), peers, shown(row["limit"]), shown(row["ratio"]))
        lines.append(f"| {' | '.join((row['name'], row['unit'], *figures, row['target'] or '–', met))} |")
    return "\n".join(lines) + "\n"


def as_overview(reports: Mapping[str, dict[str, Any]]) -> str:
    """Return the page that names every row with a target; the keys are the names of the reports' files."""
    lines = [
        "# What was measured",
        "",
        "Every row that has a target; each page says how it was measured, on what, and shows the others.",
        "",
        "| measured in | what | unit | ours | peers | limit | target | met |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, report in sorted(reports.items()):
        for row in report["rows"]:
            if row["target"]:
                peers = ", ".join(f"{peer}: {shown(value)}" for peer, value in row["peers"].items()) or "none"
                met = {True: "yes", False: "**no**", None: "–"}[row["met"]]
                figures = (shown(row["ours"]), peers, shown(row["limit"]), row["target"], met)
                lines.append(f"| [{name}]({name}.md) | {' | '.join((row['name'], row['unit'], *figures))} |")
    return "\n".join(lines) + "\n"


def shown(value: float | None) -> str:
    """Return a figure as people read it."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or not value else f"{value:.2g}"


def _short(value: float) -> float:
    """Return a figure without digits that mean nothing."""
    return round(value, 2) if abs(value) >= 10 else float(f"{value:.4g}")
