"""What it costs a page to be a tenant's page: ours, plain Django with one tenant, and the libraries as they come."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from bench.libraries import fetch_peers
from bench.peers import known_kinds
from bench.place import copy_database, leave_database, server_version, temporary_place
from bench.report import AtMost, Measured, Row, TimesPeer
from bench.standing import add_tenants, checkpoint
from infra.embedded.bootstrap import OWNER_LOGIN
from infra.embedded.postgres import RunningPostgres

if TYPE_CHECKING:
    from provisioning.blueprint import Blueprint

ABOUT = (
    "The same pages over the same models, served through WSGI without a socket by one process for each engine, with a"
    " kept connection or from a pool, in blocks of requests that take turns in shuffled order. The page with one query"
    " says who is signed in (session and person, one joined row); the page with seven reads six more rows by index."
    " Plain Django has one company in one schema and neither tenancy nor its middleware. Every engine runs a page in"
    " one transaction, as the product does, or (the rows that say so) none does. The libraries have a database of"
    " their own with the same schemas and run as they come; they prove nothing. Ours enters role and path, proves the"
    " schema and reads state, settings' version and session in one message. Routing alone is the time of the"
    " product's host middleware for a request that reads nothing along, without that in which the database was asked,"
    " which stands in the last row. Medians."
)
BLOCK = 25
PLAIN = "plain Django"
ONE, SEVEN, NOTHING = "page with 1 query", "page with 7 queries", "page without queries"
PATHS = {ONE: "/one", SEVEN: "/seven", NOTHING: "/nothing"}


@dataclass(frozen=True)
class Case:
    """One row of the report: which page, of how many companies, how connected, in a transaction or not."""

    page: str
    tenants: int = 1
    pool: bool = False
    atomic: bool = True
    target: float | None = None

    @property
    def name(self) -> str:
        """Its name in the report."""
        parts = [self.page]
        if self.tenants > 1:
            parts.append(f"over {self.tenants} tenants")
        if self.pool:
            parts.append("pool")
        if not self.atomic:
            parts.append("no transaction")
        return ", ".join(parts)


def cases(tenants: int) -> list[Case]:
    """Return what is measured."""
    return [
        Case(ONE, target=1.15),
        Case(ONE, tenants, target=1.25),
        Case(ONE, pool=True, target=1.2),
        Case(ONE, tenants, pool=True),
        Case(SEVEN, target=1.05),
        Case(SEVEN, tenants),
        Case(SEVEN, pool=True),
        Case(ONE, atomic=False),
        Case(SEVEN, atomic=False),
        Case(NOTHING),
    ]


@dataclass
class Tenant:
    """A company that stands there."""

    schema: str
    host: str
    id: str

    def as_list(self) -> list[str]:
        """Return it as a child wants it."""
        return [self.schema, self.host, self.id]


class Child:
    """The process of one engine."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process
        self._hear()

    def ask(self, action: str, *given: Any) -> dict[str, Any]:
        """Have it do something; returns its answer. Raises RuntimeError when it has ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([action, *given]) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self._process.wait()}.")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def running(engine: str, *, pool: bool = False, url: str = "", name: str = "") -> Iterator[Child]:
    """Run the process of an engine."""
    from django.conf import settings

    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "bench.routing_settings",
        "DATABASE_LOGIN": "app",
        "BENCH_ENGINE": engine,
        "BENCH_POOL": str(int(pool)),
        "BENCH_PEER": engine,
        "BENCH_PEER_CLONE": "0",
        "BENCH_PEER_URL": url,
        "BENCH_TENANT_APPS": " ".join(settings.TENANT_APPS),
        "BENCH_MIGRATION_MODULES": "{}",
    }
    if engine == "django-pgschemas":
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(fetch_peers()), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "bench.routing_child"]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Child(name or engine, process)
        finally:
            process.kill()


@dataclass
class Field:
    """Everybody who takes part, by pool and name, and what was measured, in seconds."""

    children: dict[bool, dict[str, Child]] = field(default_factory=lambda: {False: {}, True: {}})
    took: dict[str, list[float]] = field(default_factory=dict)


def run(*, rounds: int = 40, tenants: int = 1_000, peers: str = "all", **_: object) -> Measured:
    """Measure with so many tenants; each engine answers `rounds` blocks of requests for every row."""
    kinds, remarks = known_kinds(peers)
    with temporary_place(durable=True) as server, ExitStack() as stack:
        from django.utils import timezone

        from provisioning.schemas import current_release
        from provisioning.templates import ensure_template

        blueprint, _built = ensure_template(timezone.now())
        add_tenants(server, blueprint, current_release(), tenants)
        standing = _open_portals()
        with running("ours") as child:
            child.ask("fill", [each.as_list() for each in standing])
        places = {"ours": "", "plain": _make_plain(server, blueprint, standing[0])}
        names = {"ours": "ours", "plain": PLAIN}
        for kind in kinds:
            if not kind.is_clone:
                places[kind.engine] = copy_database(server, kind.engine.replace("-", "_"))
                names[kind.engine] = kind.name
        leave_database()
        found = Field()
        for engine, url in places.items():
            for pool in (False, True):
                child = stack.enter_context(running(engine, pool=pool, url=url, name=names[engine]))
                if not pool and engine.startswith("django-"):
                    child.ask("adopt", [each.as_list() for each in standing])
                else:
                    # One company stands for all where there is one.
                    ids = [(standing[0] if engine == "plain" else each).id for each in standing]
                    child.ask("know", [[each.schema, each.host, id_] for each, id_ in zip(standing, ids, strict=True)])
                found.children[pool][names[engine]] = child
        _see_that_all_serve_the_right_schema(found, standing)
        checkpoint(server)
        for case in cases(tenants):
            _measure(case, rounds, standing, found)
        first = standing[0].host
        ours = found.children[False]["ours"]
        answer = ours.ask("routing", first, max(50, rounds * BLOCK))
        found.took["scope and proof, asked alone"] = answer["asked"]
        pairs = zip(answer["seconds"], answer["asked"], strict=True)
        found.took["routing alone"] = [whole - asked for whole, asked in pairs]
        return Measured(_rows(tenants, found), server_version(server), found.took, durable=True, remarks=remarks)


def _open_portals() -> list[Tenant]:
    """Entitle every company to its portal, and return them."""
    from django.conf import settings
    from django.utils import timezone

    from tenants.config.registry import PORTAL
    from tenants.models import SettingValue
    from tenants.models import Tenant as Company
    from tenants.scope import control_scope

    with control_scope():
        SettingValue.objects.create(
            scope="platform", key=PORTAL.name, value=True, set_by="the benchmark", set_at=timezone.now()
        )
        found = Company.objects.order_by("pk").values_list("schema_name", "slug", "pk")
        return [Tenant(str(name), f"{slug}.{settings.ENV.base_domain}", str(pk)) for name, slug, pk in found]


def _make_plain(server: RunningPostgres, blueprint: Blueprint, tenant: Tenant) -> str:
    """Make a database with the tables of one company in `public`, filled; returns its address."""
    from provisioning.blueprint import SELF

    with psycopg.connect(server.url(), autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE plain OWNER {}").format(sql.Identifier(OWNER_LOGIN))
        connection.execute(create)
    url = server.url(OWNER_LOGIN, "plain")
    with psycopg.connect(url) as connection:
        connection.execute(f"SET search_path TO public;\n{blueprint.ddl.replace(SELF, 'public')}".encode())
    with running("plain", url=url) as child:
        child.ask("fill", [tenant.as_list()])
    return url


def _see_that_all_serve_the_right_schema(found: Field, standing: list[Tenant]) -> None:
    some = standing[:3]
    for children in found.children.values():
        for name, child in children.items():
            schemas = child.ask("schema", [each.host for each in some])["schemas"]
            expected = ["public" for _ in some] if name == PLAIN else [each.schema for each in some]
            assert schemas == expected, f"{name} served {schemas}."


def _measure(case: Case, rounds: int, standing: list[Tenant], found: Field) -> None:
    """Let everybody take turns; the first visit to each company is not counted."""
    print(f"  {case.name}", file=sys.stderr, flush=True)
    hosts = [each.host for each in standing[: case.tenants]]
    path = PATHS[case.page]
    order = random.Random(case.name)
    children = list(found.children[case.pool].items())
    for _name, child in children:
        child.ask("ask", path, [*hosts, *hosts[:BLOCK]] if case.tenants > 1 else hosts * BLOCK, case.atomic)
    asked = 0
    for _round in range(rounds):
        block = [hosts[(asked + number) % len(hosts)] for number in range(BLOCK)]
        asked += BLOCK
        order.shuffle(children)
        for name, child in children:
            seconds = child.ask("ask", path, block, case.atomic)["seconds"]
            found.took.setdefault(f"{case.name}: {name}", []).extend(seconds)


def _rows(tenants: int, found: Field) -> list[Row]:
    rows = []
    for case in cases(tenants):
        middle = {name: median(found.took[f"{case.name}: {name}"]) * 1000 for name in found.children[case.pool]}
        ours = middle.pop("ours")
        target = TimesPeer(case.target, PLAIN) if case.target else None
        rows.append(Row(case.name, "ms", ours, middle, target=target))
    alone = median(found.took["routing alone"]) * 1_000_000
    proof = median(found.took["scope and proof, asked alone"]) * 1_000_000
    rows.append(Row("routing alone", "µs", alone, target=AtMost(60)))
    rows.append(Row("scope and proof, asked alone", "µs", proof))
    return rows
