"""Starts child processes that do not outlive their parent, and ends what an earlier parent left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from infra.embedded.errors import ServiceError
from infra.embedded.places import servant

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
READY_SECONDS = 60.0


def start_tied(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    as_servant: bool = False,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a program in its own process group that gets `death_signal` when the starting thread ends.

    The tie is Linux's PR_SET_PDEATHSIG; elsewhere the warden alone looks after orphans. Call it from the main
    thread, since the signal follows the thread and not the process.
    """
    user = servant() if as_servant else None
    return subprocess.Popen(  # noqa: S603
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_tie(os.getpid(), death_signal),
        user=user[0] if user else None,
        group=user[1] if user else None,
        extra_groups=[] if user else None,
    )


def _tie(parent: int, death_signal: signal.Signals) -> Callable[[], None] | None:
    if _LIBC is None:
        return None

    def tie() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:
            os._exit(1)

    return tie


def alive(pid: int) -> bool:
    """Tell whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def command_line(pid: int) -> str:
    """Return a process's command line, empty when it is gone."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    listing = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout


def end_leftover(pid_file: Path, *, marker: str, how: signal.Signals, wait: float = 10.0) -> None:
    """End the server that an earlier, killed parent left behind and remove its pid file.

    A process is ours only when `marker` stands in its command line: its number may have been given out again.
    Raises ServiceError when it does not end within `wait` seconds.
    """
    try:
        pid = int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return
    if alive(pid) and marker in command_line(pid):
        os.kill(pid, how)
        deadline = time.monotonic() + wait
        while alive(pid):
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"An earlier server (process {pid}) still holds {pid_file.parent} and does not stop. "
                    f"Stop it with `kill -9 {pid}` and try again."
                )
            time.sleep(0.05)
    pid_file.unlink(missing_ok=True)


def wait_until_answered(
    ask: Callable[[], None], refusal: type[Exception], *, name: str, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Ask a started server until it no longer answers with a `refusal`.

    Raises ServiceError with the log's last words when the process has ended, or after a minute.
    """
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            return ask()
        except refusal as error:
            if process.poll() is not None:
                raise ServiceError(f"{name} did not start; its last words ({log}):\n{last_lines(log)}") from error
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"{name} was not ready after {READY_SECONDS:.0f} s. Look into {log}, then try again."
                ) from error
            time.sleep(0.02)


def end(process: subprocess.Popen[bytes], how: signal.Signals, *, wait: float) -> None:
    """Ask a process to end, and kill its whole group when it has not after `wait` seconds."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(timeout=wait)
        except subprocess.TimeoutExpired:
            end_group(process.pid, signal.SIGKILL)
            process.wait()


def end_group(group: int, how: signal.Signals) -> None:
    """Signal what is left of a process group, if anything is."""
    try:
        os.killpg(group, how)
    except (ProcessLookupError, PermissionError):
        return


def last_lines(log: Path, count: int = 8) -> str:
    """Return the end of a log, indented, for an error message."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False
