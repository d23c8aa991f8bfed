"""No process serves anybody behind a pooler that hands sessions around (acceptance check 6, ISO-15)."""

from __future__ import annotations

import os
import string
import subprocess
import sys
from pathlib import Path
from shlex import split

import pytest
from honcho.environ import parse_procfile

from infra.env import APP_LOGIN
from tests import databases
from tests.live import ROOT, free_ports
from tests.pooler import run_pooler
from tests.provisioning.conftest import own_database

__all__ = ["own_database"]

PROGRAMS = parse_procfile((ROOT / "Procfile").read_text()).processes


def _environ(name: str, port: int) -> dict[str, str]:
    address = f"@127.0.0.1:{port}/{name}?sslmode=disable&gssencmode=disable"
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_APP_URL": f"postgresql://{APP_LOGIN}{address}",
        "DATABASE_URL": f"postgresql://porchlight_owner{address}",
        # Not the next one up: outgoing connections are numbered from there.
        "PORT": str(free_ports(1)[0]),
    }


@pytest.mark.parametrize("program", ["web", "worker", "clock"])
def test_a_process_ends_and_says_why(program: str, own_database: str) -> None:
    with run_pooler("transaction", databases.connection_host()) as pooler:
        environ = _environ(own_database, pooler.port)
        done = subprocess.run(
            split(string.Template(PROGRAMS[program]).safe_substitute(environ)),
            env=environ,
            cwd=ROOT,
            timeout=60,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    assert done.returncode != 0
    assert b"Porchlight does not start" in done.stdout
    assert b"session mode" in done.stdout
