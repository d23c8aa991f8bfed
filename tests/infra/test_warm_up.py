"""A web process is warm before its first visitor: addresses read, a database connection open for every thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from shlex import split

from honcho.environ import parse_procfile

from infra.env import APP_LOGIN
from tests import databases
from tests.live import ROOT, free_ports
from tests.provisioning.conftest import own_database

__all__ = ["own_database"]

KEPT = 3
LOOK = """
import json
from config.wsgi import application
from django.db import connection
from django.urls import get_resolver
tables = {name: len(get_resolver(f"config.urls_{name}")._reverse_dict) for name in ("tenant", "office", "apex")}
print(json.dumps({"open": connection.pool.get_stats().get("pool_available", 0), "tables": tables}))
"""


def start(database: str) -> dict[str, object]:
    """Load the web's entry point in a process of its own; returns what stands ready before any request."""
    environ = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_APP_URL": f"postgresql://{APP_LOGIN}@{database}",
        "DATABASE_LOGIN": "app",
        "CONNECTIONS_KEPT": str(KEPT),
    }
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env=environ, cwd=ROOT, timeout=60, check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_addresses_and_connections_are_ready_before_the_first_visitor(own_database: str) -> None:
    found = start(f"/{own_database}?host={databases.connection_host()}")
    assert found["open"] == KEPT
    assert isinstance(found["tables"], dict)
    assert all(found["tables"].values())


def test_a_database_that_is_away_keeps_no_process_from_starting() -> None:
    (nobody,) = free_ports(1)
    assert start(f"127.0.0.1:{nobody}/porchlight")["open"] == 0


def test_the_web_keeps_a_connection_for_each_of_its_threads() -> None:
    words = split(parse_procfile((ROOT / "Procfile").read_text()).processes["web"])
    (kept,) = (word.partition("=")[2] for word in words if word.startswith("CONNECTIONS_KEPT="))
    assert kept == words[words.index("--blocking-threads") + 1]
