"""How long a new tenant's schema takes: replayed, migrated, and as django-tenants makes it."""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from time import perf_counter
from uuid import UUID

import psycopg

from bench.place import make_database, temporary_place
from bench.report import Row, summary

ABOUT = (
    "A new tenant's schema from nothing to usable, in rounds of shuffled order on one server; the first round warms"
    " up and is not counted. The peer is django-tenants as it comes: its backend and its `migrate_schemas`, over the"
    " same tenant applications, in a process and a database of its own; it must end with as many tables as ours. Replay"
    " announces the schema in the ledger, makes schema and role, and proves the result by its fingerprint; its text is"
    " compiled once for a release by real migrations, which is not counted here. Migrations make schema and role. The"
    " peer makes the schema and its rows of tenant and host; no role, no proof. Handing out takes a waiting schema and"
    " proves it; the peer keeps none waiting, so nothing stands beside it. Limit: the fastest round of"
    " the same statements sent without ledger, lock and proof."
)
PEER = f"django-tenants {version('django-tenants')}"


class PeerDiffers(RuntimeError):
    """The peer did not make the same number of tables, so it cannot be compared."""


class Peer:
    """The peer's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.tables = 0
        self.hear()

    def hear(self) -> str:
        """Return its next line; raises RuntimeError when it has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The peer ended with {self._process.wait()}.")
        return line

    def create(self) -> float:
        """Have it make a tenant; returns the seconds it took by its own clock."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"t_{secrets.token_hex(12)}\n")
        self._process.stdin.flush()
        took, tables = self.hear().split()
        self.tables = int(tables)
        return float(took)


@contextmanager
def running_peer(url: str) -> Iterator[Peer]:
    """Run the peer against an empty database."""
    from django.conf import settings

    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "bench.peer_settings",
        "BENCH_PEER_URL": url,
        "BENCH_TENANT_APPS": " ".join(settings.TENANT_APPS),
    }
    command = [sys.executable, "-m", "bench.peer_child"]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Peer(process)
        finally:
            process.kill()


def by_replay() -> float:
    """Make a waiting schema as the stock's builder does; returns seconds."""
    from django.utils import timezone

    from provisioning.pool import WITHIN
    from provisioning.slots import announce_slot, make_slot

    began = perf_counter()
    make_slot(announce_slot(run_id=None, now=timezone.now()), crash_within=WITHIN)
    return perf_counter() - began


def by_migrations() -> float:
    """Make a schema by running every migration; returns seconds."""
    from provisioning.schemas import create_schema, migrate_schema, new_schema_name

    name = new_schema_name()
    began = perf_counter()
    create_schema(name)
    migrate_schema(name)
    return perf_counter() - began


def by_handing_out() -> float:
    """Take a waiting schema, as a sign-up does; returns seconds."""
    from provisioning.slots import claim_slot

    began = perf_counter()
    name = claim_slot(_new_run())
    took = perf_counter() - began
    assert name is not None, "each round has put one into stock"
    return took


def bare_statements(connection: psycopg.Connection) -> float:
    """Send the statements of a schema and nothing else; returns seconds."""
    from provisioning.blueprint import SELF
    from provisioning.schemas import creation_of, current_release, new_schema_name
    from provisioning.templates import find_blueprint

    blueprint = find_blueprint(current_release())
    assert blueprint is not None
    name = new_schema_name()
    text = ";\n".join((*creation_of(name), f"SET LOCAL search_path TO {name}", blueprint.ddl.replace(SELF, name)))
    began = perf_counter()
    connection.execute(text.encode())
    return perf_counter() - began


def run(*, rounds: int, **_: object) -> tuple[list[Row], int]:
    """Measure; returns the rows and the server's version number. Raises PeerDiffers."""
    with temporary_place() as server:
        from django.conf import settings
        from django.utils import timezone

        from provisioning.templates import ensure_template

        blueprint, _built = ensure_template(timezone.now())
        took: dict[str, list[float]] = {}
        with (
            psycopg.connect(settings.ENV.database_url, autocommit=True) as bare,
            running_peer(make_database(server, "peer")) as peer,
        ):
            ways: list[tuple[str, Callable[[], float]]] = [
                ("replay", by_replay),
                ("migrations", by_migrations),
                ("peer", peer.create),
                ("bare", lambda: bare_statements(bare)),
            ]
            # What ran just before leaves its mark, so nobody always follows the same one.
            order = random.Random(20261121)
            for number in range(rounds + 1):
                order.shuffle(ways)
                for name, way in ways:
                    seconds = way()
                    if number:
                        took.setdefault(name, []).append(seconds)
                seconds = by_handing_out()
                if number:
                    took.setdefault("claim", []).append(seconds)
            ours = _tables(bare)
            if peer.tables != ours:
                raise PeerDiffers(f"The peer made {peer.tables} tables, we made {ours}.")
            version_number = bare.info.server_version
    return _rows(took, blueprint.relations), version_number


def _new_run() -> UUID:
    from infra.ids import uuid7

    return uuid7()


def _tables(connection: psycopg.Connection) -> int:
    """Return how many tables the newest of our schemas has."""
    row = connection.execute(
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace ="
        " (SELECT max(oid) FROM pg_namespace WHERE nspname LIKE 't\\_%')"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _rows(took: dict[str, list[float]], relations: int) -> list[Row]:
    found = {name: summary(seconds) for name, seconds in took.items()}
    bare = min(took["bare"]) * 1000
    rows = []
    for index, word in enumerate(("median", "95th percentile")):
        peers = {PEER: found["peer"][index]}
        rows += [
            Row(f"schema by replay, {word}", "ms", found["replay"][index], peers, bare),
            Row(f"schema by migrations, {word}", "ms", found["migrations"][index], peers, bare),
            Row(f"schema handed out of the stock, {word}", "ms", found["claim"][index]),
        ]
    rows.append(Row("relations in a schema", "count", float(relations)))
    return rows
