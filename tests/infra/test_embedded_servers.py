"""PostgreSQL and Valkey from wheels: private, unprivileged, gone when their parent is gone."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from infra.embedded import places
from infra.embedded.bootstrap import bootstrap_embedded, bootstrap_roles
from infra.embedded.errors import ServiceError
from infra.embedded.postgres import RunningPostgres, start_postgres, temporary_postgres
from infra.embedded.processes import alive
from infra.embedded.valkey import start_valkey
from infra.env_casts import ROOT

PARENT = """
import sys, time
from pathlib import Path
from infra.embedded.postgres import start_postgres
from infra.embedded.valkey import start_valkey
folder = Path(sys.argv[1])
pg = start_postgres(folder / "pg", fsync=False)
valkey = start_valkey(folder / "vk")
print(pg.process.pid, valkey.process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with temporary_postgres() as running:
        yield running


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the unprivileged account can reach, which pytest's own cannot promise."""
    made = Path(tempfile.mkdtemp(prefix="porchlight-test-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def wait_for_end(*pids: int) -> None:
    """Wait until the processes are gone; fails when they stay."""
    deadline = time.monotonic() + 90
    while left := [pid for pid in pids if alive(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def owner_of(pid: int) -> str:
    return pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name


def test_data_survives_a_stop_and_the_server_does_not(folder: Path) -> None:
    first = start_postgres(folder / "pg", fsync=False)
    with psycopg.connect(first.url(), autocommit=True) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 1 AS one")
    first.stop()
    wait_for_end(first.process.pid)
    second = start_postgres(folder / "pg", fsync=False)
    try:
        with psycopg.connect(second.url()) as conn:
            assert conn.execute("SELECT one FROM kept").fetchone() == (1,)
    finally:
        second.stop()


def test_a_killed_parent_leaves_no_server(folder: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        servers = [int(word) for word in parent.stdout.readline().split()]
    assert [alive(pid) for pid in servers] == [True, True]
    parent.kill()
    parent.wait()
    wait_for_end(*servers)


def test_servers_never_run_as_root(server: RunningPostgres) -> None:
    assert owner_of(server.process.pid) == ("nobody" if os.geteuid() == 0 else owner_of(os.getpid()))


def test_nobody_else_can_enter_the_sockets_folder_and_no_port_is_open(server: RunningPostgres) -> None:
    assert server.sockets.stat().st_mode & 0o077 == 0
    with psycopg.connect(server.url()) as conn:
        assert conn.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_server_that_an_earlier_run_left_is_ended_first(folder: Path) -> None:
    left = start_postgres(folder / "pg", fsync=False)
    again = start_postgres(folder / "pg", fsync=False)
    try:
        left.process.wait(timeout=30)
        assert left.process.pid != again.process.pid
    finally:
        again.stop()


def test_a_pid_file_that_names_a_stranger_is_stale(folder: Path) -> None:
    """After a hard restart of a machine the same number often belongs to something else."""
    start_postgres(folder / "pg", fsync=False).stop()
    (folder / "pg" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    start_postgres(folder / "pg", fsync=False).stop()


def test_a_half_made_cluster_is_made_again(folder: Path) -> None:
    (folder / "pg" / "base").mkdir(parents=True)
    (folder / "pg" / "base" / "left").write_text("from a killed initdb")
    start_postgres(folder / "pg", fsync=False).stop()
    assert not (folder / "pg" / "base" / "left").exists()


def test_data_of_another_version_is_refused_with_a_way_out(folder: Path) -> None:
    (folder / "pg").mkdir()
    (folder / "pg" / "PG_VERSION").write_text("15\n")
    with pytest.raises(ServiceError, match=r"written by PostgreSQL 15.*DATABASE_URL"):
        start_postgres(folder / "pg")


def test_a_server_that_cannot_start_says_its_last_words(folder: Path) -> None:
    start_postgres(folder / "pg", fsync=False).stop()
    (folder / "pg" / "postgresql.conf").write_text("nonsense = on\n")
    with pytest.raises(ServiceError, match=r"did not start(.|\n)*nonsense"):
        start_postgres(folder / "pg", fsync=False)


def test_a_private_folder_is_replaced_by_a_reachable_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root in a home folder: `nobody` could not reach the data there."""
    monkeypatch.setattr(places, "servant", lambda: (65534, 65534))
    monkeypatch.setattr(places, "SHARED_PLACE", folder / "shared")
    (folder / "shared").mkdir()
    (folder / "home").mkdir(mode=0o700)
    assert places.data_place(folder / "open" / "pg") == folder / "open" / "pg"
    place = places.data_place(folder / "home" / ".data" / "pg")
    assert place.parent.parent == folder / "shared"
    assert places.reachable(place)
    assert places.data_place(folder / "home" / ".data" / "pg") == place


def test_a_strangers_folder_in_the_shared_place_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "servant", lambda: (65534, 65534))
    monkeypatch.setattr(places, "SHARED_PLACE", folder / "shared")
    (folder / "shared").mkdir()
    (folder / "home").mkdir(mode=0o700)
    planted = places.data_place(folder / "home" / "pg").parent
    planted.rmdir()
    planted.symlink_to(folder / "home")
    with pytest.raises(ServiceError, match="belongs to somebody else"):
        places.data_place(folder / "home" / "pg")


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    """The system cuts socket paths at about a hundred bytes."""
    deep = folder / ("d" * 90) / "pg"
    running = start_postgres(deep, fsync=False)
    try:
        assert running.data == deep
        assert running.sockets != deep
        psycopg.connect(running.url()).close()
    finally:
        running.stop()
        shutil.rmtree(running.sockets)


def test_bootstrap_can_be_repeated_and_separates_the_logins(server: RunningPostgres) -> None:
    """Two logins: one owns the schemas, the other owns and inherits nothing (security.md S2, OPS-04)."""
    assert bootstrap_embedded(server) == bootstrap_embedded(server)
    owner, app = bootstrap_embedded(server)
    with psycopg.connect(owner, autocommit=True) as conn:
        conn.execute("CREATE TEMPORARY TABLE scratch ()")
        conn.execute("CREATE SCHEMA probe")
        conn.execute("CREATE ROLE probe_role")
        assert conn.execute("SELECT count(*) > 0 FROM pg_backend_memory_contexts").fetchone() == (True,)
        flags = "SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s"
        assert conn.execute(flags, ["porchlight_app"]).fetchone() == (False, False, False, False)
    with psycopg.connect(app, autocommit=True) as conn:
        for forbidden in (
            "CREATE TEMPORARY TABLE scratch ()",
            "CREATE SCHEMA mine",
            "CREATE TABLE public.mine ()",
            "CREATE ROLE friend",
            "SET ROLE porchlight_owner",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(forbidden)


def test_a_login_that_may_not_create_roles_is_told_how_to_get_the_right(server: RunningPostgres) -> None:
    with psycopg.connect(server.url(), autocommit=True) as conn:
        conn.execute("CREATE ROLE plain LOGIN")
    with (
        psycopg.connect(server.url("plain"), autocommit=True) as conn,
        pytest.raises(ServiceError, match="ALTER ROLE plain CREATEROLE"),
    ):
        bootstrap_roles(conn)


def test_a_login_that_does_not_own_the_database_is_told_so(server: RunningPostgres) -> None:
    with psycopg.connect(server.url(), autocommit=True) as conn:
        conn.execute("CREATE ROLE maker LOGIN CREATEROLE")
    with (
        psycopg.connect(server.url("maker"), autocommit=True) as conn,
        pytest.raises(ServiceError, match="ALTER DATABASE postgres OWNER TO maker"),
    ):
        bootstrap_roles(conn)


def test_queues_survive_a_stop_and_nothing_is_evicted(folder: Path) -> None:
    first = start_valkey(folder / "vk")
    with redis.Redis.from_url(first.url()) as client:
        client.rpush("queue", "message")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    first.stop()
    second = start_valkey(folder / "vk")
    try:
        with redis.Redis.from_url(second.url()) as client:
            assert client.lrange("queue", 0, -1) == [b"message"]
        assert owner_of(second.process.pid) != "root"
    finally:
        second.stop()
    wait_for_end(second.process.pid)


def test_a_valkey_that_an_earlier_run_left_is_ended_first(folder: Path) -> None:
    left = start_valkey(folder / "vk")
    again = start_valkey(folder / "vk")
    again.stop()
    assert left.process.wait(timeout=30) in (0, -signal.SIGTERM)
