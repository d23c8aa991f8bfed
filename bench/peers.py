"""The peers: which there are, and their processes, each beside its own copy of the fleet."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.libraries import LOCK, PeersMissing, fetch_peers

PEERS = ("all", "installed", "none")


@dataclass(frozen=True)
class Kind:
    """One way in which a peer makes tenants."""

    engine: str
    version: str
    is_clone: bool = False

    @property
    def name(self) -> str:
        """Its name in reports."""
        return f"{self.engine} {self.version}{', clone mode' if self.is_clone else ''}"


def known_kinds(which: str) -> tuple[list[Kind], str]:
    """Return the peers to measure and, when some are left out, the sentence that says so.

    `which` is one of PEERS: all, those that need not be fetched, or none.
    """
    from importlib.metadata import version

    if which == "none":
        return [], "The peers were left out."
    kinds = [Kind("django-tenants", version("django-tenants"), clone) for clone in (False, True)]
    pinned = next(line for line in LOCK.read_text().splitlines() if line.startswith("django-pgschemas=="))
    number = pinned.split("==")[1].split()[0]
    try:
        fetch_peers(only_look=which != "all")
    except PeersMissing as missing:
        return kinds, f"django-pgschemas {number} was not measured: {missing}."
    kinds += [Kind("django-pgschemas", number, clone) for clone in (False, True)]
    return kinds, ""


class Peer:
    """The process of a peer; it is ready when this has been made."""

    def __init__(self, kind: Kind, process: subprocess.Popen[str]) -> None:
        self.kind = kind
        self.tables = 0
        self._process = process
        self._hear()

    def create(self) -> float:
        """Have it make a tenant; returns the seconds it took by its own clock."""
        answer = self.ask("create", f"t_{secrets.token_hex(12)}")
        self.tables = int(answer["tables"])
        return float(answer["seconds"])

    def ask(self, action: str, argument: Any) -> dict[str, Any]:
        """Have it do something; returns its answer. Raises RuntimeError when it has ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([action, argument]) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.kind.name} ended with {self._process.wait()}.")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def running_peer(kind: Kind, url: str) -> Iterator[Peer]:
    """Run a peer on a database of its own, with the migrations of the running settings."""
    from django.conf import settings

    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "bench.peer_settings",
        "BENCH_PEER": kind.engine,
        "BENCH_PEER_CLONE": str(int(kind.is_clone)),
        "BENCH_PEER_URL": url,
        "BENCH_TENANT_APPS": " ".join(settings.TENANT_APPS),
        "BENCH_MIGRATION_MODULES": json.dumps(settings.MIGRATION_MODULES),
    }
    if kind.engine == "django-pgschemas":
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(fetch_peers()), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "bench.peer_child"]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Peer(kind, process)
        finally:
            process.kill()
