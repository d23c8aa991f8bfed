"""`./porchlight up` from an empty folder to the first page, twice, and away without a trace."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import psycopg
import pytest

from infra.embedded.processes import alive
from infra.env import Env
from infra.env_casts import ROOT
from tests.infra.test_embedded_servers import wait_for_end


def free_port() -> int:
    """Return a port with two free ones above it."""
    while True:
        with socket.socket() as first, socket.socket() as second, socket.socket() as third:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
                third.bind(("127.0.0.1", port + 2))
            except OSError:
                continue
            return port


@contextmanager
def running_up(data: Path, port: int) -> Iterator[tuple[list[int], str]]:
    """Run it until it says that it is ready; gives every process it started and what it said."""
    own = {item.name.upper() for item in fields(Env)}
    environ = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in own}
    up = subprocess.Popen(
        [sys.executable, "-m", "infra.embedded.up", "--data", str(data)],
        cwd=ROOT,
        env=environ | {"PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert up.stdout is not None
    watchdog = threading.Timer(120, up.kill)
    watchdog.start()
    said = []
    with up.stdout:
        for line in up.stdout:
            said.append(line)
            if "Ctrl-C stops everything" in line:
                break
        else:
            pytest.fail("".join(said))
        started = descendants(up.pid)
        yield started, "".join(said)
        up.send_signal(signal.SIGINT)
        rest = up.stdout.read()
    watchdog.cancel()
    assert up.wait() == 0, rest
    assert "Everything has stopped." in rest


def descendants(pid: int) -> list[int]:
    """Return the processes below one, through all generations."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listing.splitlines()]
    found = [pid]
    for parent in found:
        found += [child for child, above in pairs if above == parent]
    return found[1:]


def test_the_whole_product_comes_up_twice_and_leaves_nothing_behind() -> None:
    with tempfile.TemporaryDirectory(prefix="porchlight-up-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        data, port = Path(folder) / "data", free_port()
        with running_up(data, port) as (processes, said):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/", headers={"Host": f"acme.portal.localhost:{port}"})
            assert connection.getresponse().status in (200, 302)
            connection.close()
            assert f"http://acme.portal.localhost:{port}/office/" in said
            owner = json.loads((data / "env.json").read_text())["DATABASE_URL"]
            with psycopg.connect(owner, autocommit=True) as conn:
                conn.execute("CREATE TABLE public.kept AS SELECT 1 AS one")
        wait_for_end(*processes)
        with running_up(data, port) as (processes, said), psycopg.connect(owner) as conn:
            assert conn.execute("SELECT one FROM public.kept").fetchone() == (1,)
            assert "demo companies" not in said
        assert [pid for pid in processes if alive(pid)] == []
