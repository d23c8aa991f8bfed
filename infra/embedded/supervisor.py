"""Keeps the processes of `./porchlight up` running, and ends every one of them when it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from infra.embedded import warden
from infra.embedded.errors import ServiceError
from infra.embedded.processes import end_group
from infra.embedded.terminal import shown

Launch = Callable[[], "subprocess.Popen[bytes]"]
_LONGEST_PAUSE = 30.0
_SETTLED_AFTER = 60.0
# Five seconds are promised in all: the servers' own end needs the last of them.
_NUDGE_AFTER, _KILL_AFTER, _SERVER_PATIENCE = 2.5, 3.5, 1.0


@dataclass
class Child:
    """One supervised process; `is_server` ones are started first and ended last."""

    name: str
    launch: Launch
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    is_server: bool
    started_at: float = field(default_factory=time.monotonic)
    failures: int = 0
    due_at: float | None = None


class Supervisor:
    """Starts, restarts with growing pauses, and stops."""

    def __init__(self, say: Callable[[str], None], logs: Path) -> None:
        self.say = say
        self.logs = logs
        self.children: list[Child] = []
        # We alone hold this end of the pipe: when we die, however it happens, the warden reads its end.
        self._warden = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(Path(warden.__file__))],
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def start(self, name: str, launch: Launch) -> Child:
        """Launch a program and look after it; `launch` is called again when it ends by itself."""
        return self._adopt(Child(name, launch, launch(), signal.SIGTERM, is_server=False))

    def adopt_server(
        self, name: str, process: subprocess.Popen[bytes], relaunch: Launch, stop_signal: signal.Signals
    ) -> Child:
        """Look after a server that runs already; servers are ended after all programs."""
        return self._adopt(Child(name, relaunch, process, stop_signal, is_server=True))

    def _adopt(self, child: Child) -> Child:
        self.children.append(child)
        self._tell_warden(f"start {child.process.pid} {int(child.stop_signal)}")
        return child

    def watch(self) -> None:
        """Look once at every process and restart those whose pause is over."""
        for child in self.children:
            if child.due_at is not None:
                if time.monotonic() >= child.due_at:
                    self._restart(child)
            elif (status := child.process.poll()) is not None:
                self._note_end(child, _how_it_ended(status))

    def stop(self) -> None:
        """End everything within five seconds: first the programs, then the servers they use."""
        programs = [child for child in self.children if not child.is_server]
        servers = [child for child in reversed(self.children) if child.is_server]
        for child in programs:
            # The leader alone at first: it knows best in which order its own workers end.
            if child.process.poll() is None:
                child.process.send_signal(child.stop_signal)
        began = time.monotonic()
        nudged = False
        while any(child.process.poll() is None for child in programs):
            if time.monotonic() - began > _KILL_AFTER:
                break
            if not nudged and time.monotonic() - began > _NUDGE_AFTER:
                nudged = True
                for child in programs:
                    end_group(child.process.pid, child.stop_signal)
            time.sleep(0.03)
        for child in programs:
            end_group(child.process.pid, signal.SIGKILL)
            child.process.wait()
        for child in servers:
            child.process.send_signal(child.stop_signal)
        for child in servers:
            try:
                child.process.wait(timeout=_SERVER_PATIENCE)
            except subprocess.TimeoutExpired:
                end_group(child.process.pid, signal.SIGKILL)
                child.process.wait()
        self._dismiss_warden()

    def _note_end(self, child: Child, how: str) -> None:
        # Workers that outlive their leader would keep its port and its queue.
        end_group(child.process.pid, signal.SIGKILL)
        self._tell_warden(f"end {child.process.pid}")
        if time.monotonic() - child.started_at > _SETTLED_AFTER:
            child.failures = 0
        pause = min(0.5 * 2**child.failures, _LONGEST_PAUSE)
        child.failures += 1
        child.due_at = time.monotonic() + pause
        log = shown(self.logs / f"{child.name}.log")
        self.say(f"{child.name} stopped ({how}); starting it again in {pause:g} s. Its log is {log}.")

    def _restart(self, child: Child) -> None:
        child.due_at = None
        child.started_at = time.monotonic()
        try:
            child.process = child.launch()
        except (ServiceError, OSError) as error:
            self._note_end(child, str(error))
            return
        self._tell_warden(f"start {child.process.pid} {int(child.stop_signal)}")
        self.say(f"{child.name} is running again.")

    def _tell_warden(self, line: str) -> None:
        assert self._warden.stdin is not None
        try:
            self._warden.stdin.write(line + "\n")
            self._warden.stdin.flush()
        except OSError:
            # Without a warden the system's own tie (PR_SET_PDEATHSIG) still holds on Linux.
            return

    def _dismiss_warden(self) -> None:
        for child in self.children:
            self._tell_warden(f"end {child.process.pid}")
        assert self._warden.stdin is not None
        try:
            self._warden.stdin.close()
        except OSError:
            self._warden.kill()
        self._warden.wait()


def _how_it_ended(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"signal {-status}"
