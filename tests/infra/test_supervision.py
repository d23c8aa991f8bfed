"""`./porchlight up` restarts what crashed and leaves nothing behind, however it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.embedded.errors import ServiceError
from infra.embedded.lock import exclusive
from infra.embedded.processes import alive, start_tied
from infra.embedded.supervisor import Supervisor
from infra.embedded.terminal import LogTail, Terminal
from infra.embedded.up import Up
from infra.env_casts import ROOT

# A leader with one worker, neither of which listens to a polite request.
STUBBORN = "trap '' TERM; sleep 600 & echo $! > {worker}; while :; do sleep 1; done"
SUPERVISING = """
import signal, sys, time
from pathlib import Path
from infra.embedded.processes import start_tied
from infra.embedded.supervisor import Supervisor
supervisor = Supervisor(print, Path())
command = ["/bin/sh", "-c", sys.argv[1]]
child = supervisor.start("stubborn", lambda: start_tied(command, death_signal=signal.SIGTERM))
print(child.process.pid, flush=True)
time.sleep(600)
"""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that must happen; fails when it does not."""
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def launch(command: str) -> Callable[[], "subprocess.Popen[bytes]"]:
    return lambda: start_tied(["/bin/sh", "-c", command], death_signal=signal.SIGTERM)


def worker_pid(note: Path) -> int:
    wait_until(lambda: note.exists() and note.read_text().strip() != "", "the worker did not start")
    return int(note.read_text())


def test_a_crashed_program_is_started_again_with_a_sentence() -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append, ROOT / ".data" / "log")
    try:
        child = supervisor.start("web", launch("sleep 600"))
        first = child.process.pid
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: supervisor.watch() or child.process.pid != first, "not restarted")
        assert said == [
            "web stopped (signal 9); starting it again in 0.5 s. Its log is .data/log/web.log.",
            "web is running again.",
        ]
    finally:
        supervisor.stop()
    assert not alive(child.process.pid)


def test_a_crashed_leaders_workers_are_ended_before_it_starts_again(tmp_path: Path) -> None:
    """A worker that outlives its leader keeps the port and serves stale code (trap 7)."""
    supervisor = Supervisor(lambda _: None, tmp_path)
    try:
        child = supervisor.start("web", launch(STUBBORN.format(worker=tmp_path / "worker")))
        worker = worker_pid(tmp_path / "worker")
        os.kill(child.process.pid, signal.SIGKILL)
        wait_until(lambda: supervisor.watch() or child.due_at is not None, "the crash was not seen")
        wait_until(lambda: not alive(worker), "the worker outlived its leader")
    finally:
        supervisor.stop()


def test_pauses_grow_while_a_program_keeps_crashing() -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append, ROOT / ".data" / "log")
    try:
        child = supervisor.start("clock", launch("exit 3"))
        wait_until(lambda: supervisor.watch() or child.failures == 3, "not restarted three times")
    finally:
        supervisor.stop()
    pauses = [line.partition("again in ")[2].partition(" s")[0] for line in said if "exit status 3" in line]
    assert pauses == ["0.5", "1", "2"]


def test_stop_ends_a_program_that_will_not_listen_and_its_workers(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda _: None, tmp_path)
    child = supervisor.start("web", launch(STUBBORN.format(worker=tmp_path / "worker")))
    worker = worker_pid(tmp_path / "worker")
    supervisor.stop()
    assert not alive(child.process.pid)
    wait_until(lambda: not alive(worker), "the worker was left")


def test_a_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    """Even one whose programs ignore SIGTERM: the warden outlives the supervisor long enough."""
    command = STUBBORN.format(worker=tmp_path / "worker")
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISING, command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    with supervisor.stdout:
        leader = int(supervisor.stdout.readline())
    worker = worker_pid(tmp_path / "worker")
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not alive(leader), "the leader was left")
    wait_until(lambda: not alive(worker), "the worker was left")


def test_a_stale_lock_is_taken_over_with_a_sentence(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "lock").write_text("999999\n")
    with exclusive(tmp_path / "lock", said.append):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    assert said == ["The last run (process 999999) was cut off; its lock was stale and has been removed."]
    with exclusive(tmp_path / "lock", said.append):
        assert len(said) == 1


def test_a_second_run_in_the_same_checkout_is_told_what_to_do(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / "lock", lambda _: None),
        pytest.raises(ServiceError, match=rf"already running.*process {os.getpid()}.*PORT="),
        exclusive(tmp_path / "lock", lambda _: None),
    ):
        pass


def test_a_taken_port_is_answered_with_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(ServiceError, match=rf"Port {port} .*taken.*PORT={port + 100} ./porchlight up"):
            Up(Terminal(), tmp_path).run()
    assert "Traceback" not in capsys.readouterr().out


def test_only_important_lines_of_a_log_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "web.log"
    log.write_text("an old error\n")
    tail = LogTail("web", log, Terminal())
    with log.open("a") as writer:
        writer.write('GET / 200\nTraceback (most recent call):\n  File "x"\n[error] the pool is empty\nhalf an err')
    tail.show_new()
    assert capsys.readouterr().out == f"web: [error] the pool is empty   (more in {log})\n"
    loud = LogTail("web", log, Terminal(verbose=True))
    with log.open("a") as writer:
        writer.write("\nGET /two 200\n")
    loud.show_new()
    assert "GET /two 200" in capsys.readouterr().out
