"""Ends what a killed supervisor left behind; run as a script, it needs the standard library only.

It reads "start GROUP SIGNAL" and "end GROUP" from its input. The end of the input means that the
supervisor is gone: every group still listed gets its signal, and SIGKILL four seconds later.
"""

from __future__ import annotations

import os
import signal
import sys
import time

PATIENCE = 4.0


def send(group: int, number: int) -> bool:
    """Signal a process group; False when it is gone."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> None:
    """Read until the supervisor is gone, then end what it started."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        word, group, *rest = line.split()
        if word == "start":
            groups[int(group)] = int(rest[0])
        else:
            groups.pop(int(group), None)
    left = [group for group, number in groups.items() if send(group, number)]
    deadline = time.monotonic() + PATIENCE
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = [group for group in left if send(group, 0)]
    for group in left:
        send(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
