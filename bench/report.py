"""What a benchmark says, and how it is shown: JSON for programs, a table for people."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles
from typing import Any

RATES = ("rows/s",)


@dataclass
class Row:
    """One measured quantity; `limit` is the least that the same work could take here, `target` a ratio to reach."""

    name: str
    unit: str
    ours: float
    peers: dict[str, float] = field(default_factory=dict)
    limit: float | None = None
    target: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better than the best peer ours is: below 1 the peer wins."""
        if not self.peers or not self.ours:
            return None
        if self.unit in RATES:
            return self.ours / max(self.peers.values())
        return min(self.peers.values()) / self.ours

    @property
    def met(self) -> bool | None:
        """Whether the ratio reaches the target, when there are both."""
        return None if self.ratio is None or self.target is None else self.ratio >= self.target

    def as_json(self) -> dict[str, Any]:
        """Return the row with what follows from it."""
        rounded = {name: round(value, 2) for name, value in self.peers.items()}
        ratio = None if self.ratio is None else round(self.ratio, 2)
        limit = None if self.limit is None else round(self.limit, 2)
        changed = {"ours": round(self.ours, 2), "peers": rounded, "limit": limit, "ratio": ratio, "met": self.met}
        order = ("name", "unit", "ours", "peers", "limit", "ratio", "target", "met")
        values = asdict(self) | changed
        return {key: values[key] for key in order}


def summary(seconds: list[float]) -> tuple[float, float]:
    """Return median and 95th percentile, in milliseconds."""
    values = [second * 1000 for second in seconds]
    if len(values) == 1:
        return values[0], values[0]
    return median(values), quantiles(values, n=20, method="inclusive")[18]


def describe_machine(postgres: int, *, others: float | None, note: str) -> dict[str, Any]:
    """Say on what was measured; `postgres` is the server's version number, `others` the cores that other work took."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "postgresql": f"{postgres // 10000}.{postgres % 10000}",
        "durability": "fsync, synchronous_commit and full_page_writes off",
        "cores_busy_with_other_work": None if others is None else round(others, 2),
        "note": note,
    }


def as_markdown(report: dict[str, Any]) -> str:
    """Return a report as a page."""
    machine = "; ".join(f"{key} {value}" for key, value in report["machine"].items() if value not in ("", None))
    lines = [
        f"# {report['benchmark']}",
        "",
        report["about"],
        "",
        f"Measured on: {machine}.",
        "",
        "| what | unit | ours | peers | limit | times better than the best peer |",
        "|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        peers = ", ".join(f"{name}: {_shown(value)}" for name, value in row["peers"].items()) or "none"
        cells = (row["name"], row["unit"], _shown(row["ours"]), peers, _shown(row["limit"]), _shown(row["ratio"]))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"
