"""Tells how quiet the machine was: a figure taken beside other work is worth less, and has to say so."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import perf_counter


class Watch:
    """Counts the processor time that went to neither this process nor the ones it started and ended."""

    def __init__(self) -> None:
        self._began, self._busy, self._own = perf_counter(), _busy(), _own()

    def others(self) -> float | None:
        """Return how many cores were busy with other work since the start; None where the system cannot say."""
        busy = _busy()
        if busy is None or self._busy is None:
            return None
        other = (busy - self._busy) - (_own() - self._own)
        return max(0.0, other / (perf_counter() - self._began))


def _own() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _busy() -> float | None:
    """Return the seconds that all cores together have worked since the machine was started."""
    if sys.platform != "linux":
        return None
    user, nice, system, _idle, _waiting, *rest = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    return float(user + nice + system + sum(rest[:3])) / os.sysconf("SC_CLK_TCK")


def tell(text: str) -> None:
    """Say how far a long benchmark is, where its report does not go."""
    print(f"  {text}", file=sys.stderr, flush=True)


def tell_measuring() -> None:
    """Say that what comes now is measured: from here on the machine should do nothing else."""
    tell("measuring begins")
