"""What a growing fleet costs: slots, handing out, catalogue, memory of a connection, pages over all tenants."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import psycopg

from bench.memory import NEVER, grow
from bench.pages import running_pages
from bench.peers import Kind, known_kinds, running_peer
from bench.place import copy_database, drop_database, server_version, temporary_place
from bench.provision import bare_statements, by_handing_out, by_replay
from bench.quiet import tell, tell_measuring
from bench.report import AtMost, Measured, Row, Target, TimesBetter, TimesLimit
from bench.standing import checkpoint, furnish, grow_durably
from infra.embedded.bootstrap import DATABASE
from infra.embedded.postgres import RunningPostgres

if TYPE_CHECKING:
    from provisioning.blueprint import Blueprint

ABOUT = (
    "A fleet grows on one server, a checkpoint after every 250 tenants, and at each mark slots are built and handed"
    " out in rounds of shuffled order with the same statements sent bare (limit). The peers make tenants as they come"
    " and in clone mode, beside a copy of the fleet, at the first and at the last mark. Relations and disk of an empty"
    " tenant are what the catalogue and the database grew by, TOAST and indexes included. Memory is what one database"
    " connection's process has to itself after it has touched every table of every tenant: ours ends a connection that"
    " holds too much; the peers keep theirs, which was measured with the same statements (beyond 2,000"
    " tenants what each adds is carried on). Pages are the customer's"
    " sign-in page through the whole of the product's WSGI application, without a socket, blocks of"
    " requests to one tenant taking turns with blocks over all of them."
)
MARKS = (0, 100, 500, 1_000, 2_000, 5_000, 10_000)
PEER_ROUNDS = 3
# One process would hold more than ten gigabytes after 10,000 tenants; it grows evenly.
KEPT_AT_MOST = 2_000
KEPT = "connection kept, as the peers do"


@dataclass
class Findings:
    """Everything that was measured, in seconds and megabytes."""

    took: dict[str, list[float]] = field(default_factory=dict)
    kinds: list[Kind] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    relations: float = 0
    megabytes: float = 0
    memory: dict[str, float] = field(default_factory=dict)


def run(*, rounds: int = 10, tenants: int = 1_000, peers: str = "all", careless: bool = False, **_: object) -> Measured:
    """Let a fleet of so many tenants grow and measure at each mark."""
    found = Findings(marks=sorted({mark for mark in MARKS if mark < tenants} | {tenants}))
    found.kinds, remarks = known_kinds(peers)
    with temporary_place(durable=not careless) as server:
        from django.utils import timezone

        from provisioning.templates import ensure_template

        blueprint, _built = ensure_template(timezone.now())
        tell_measuring()
        before = _catalogue(server)
        for mark in found.marks:
            _grow_to(mark, server, blueprint, found)
            _at_mark(mark, server, rounds, found)
        after = _catalogue(server)
        made = after[2] - before[2]
        found.relations, found.megabytes = (after[0] - before[0]) / made, (after[1] - before[1]) / made / 2**20
        remarks = f"{remarks} {_measure_memory(tenants, found)}".strip()
        _measure_pages(tenants, rounds, found)
        return Measured(
            _rows(found, tenants), server_version(server), found.took, durable=not careless, remarks=remarks
        )


def _grow_to(mark: int, server: RunningPostgres, blueprint: Blueprint, found: Findings) -> None:
    from provisioning.schemas import current_release
    from tenants.models import Tenant
    from tenants.scope import control_scope

    with control_scope():
        standing = Tenant.objects.count()
    if mark > standing:
        began = perf_counter()
        names, checkpoints = grow_durably(server, blueprint, current_release(), mark - standing, first=standing)
        found.took.setdefault("tenants/s", []).append(len(names) / (perf_counter() - began))
        found.took.setdefault("checkpoint", []).extend(checkpoints)
        furnish()


def _at_mark(mark: int, server: RunningPostgres, rounds: int, found: Findings) -> None:
    """Build and hand out a few slots, and have the peers do the same at the two ends."""
    from django.conf import settings

    order = random.Random(mark)
    with ExitStack() as stack:
        bare = stack.enter_context(psycopg.connect(settings.ENV.database_url, autocommit=True))
        ours: list[tuple[str, Callable[[], float]]] = [
            ("replay", by_replay),
            ("bare", lambda: bare_statements(bare)),
        ]
        checkpoint(server)
        for number in range(rounds + 1):
            order.shuffle(ours)
            for name, way in [*ours, ("claim", by_handing_out)]:
                seconds = way()
                if number:
                    found.took.setdefault(f"{name} at {mark}", []).append(seconds)
    if mark not in (found.marks[0], found.marks[-1]):
        return
    tell(f"the peers beside {mark} tenants")
    places = {engine: copy_database(server, engine) for engine in dict.fromkeys(kind.engine for kind in found.kinds)}
    with ExitStack() as stack:
        beside = [stack.enter_context(running_peer(kind, places[kind.engine])) for kind in found.kinds]
        checkpoint(server)
        for number in range(PEER_ROUNDS + 1):
            order.shuffle(beside)
            for peer in beside:
                seconds = peer.create()
                if number:
                    found.took.setdefault(f"{peer.kind.name} at {mark}", []).append(seconds)
    for engine in places:
        drop_database(server, engine)


def _catalogue(server: RunningPostgres) -> tuple[int, int, int]:
    """Return how many relations, bytes and tenants' schemas the database holds."""
    checkpoint(server)
    with psycopg.connect(server.url(dbname=DATABASE)) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM pg_class), pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't\\_%')"
        ).fetchone()
    assert row is not None
    relations, size, schemas = row
    return int(relations), int(size), int(schemas)


def _measure_memory(tenants: int, found: Findings) -> str:
    """Let one connection meet all tenants; returns the sentence that says why not, if it cannot be seen."""
    from django.conf import settings

    from tenants.backend.recycling import FROM, MEGABYTES
    from tenants.models import Tenant
    from tenants.scope import control_scope

    with control_scope():
        places = [(each.pk, str(each.schema_name)) for each in Tenant.objects.order_by("slug")]
    limits = settings.DATABASES["default"]
    try:
        ours, kept = grow(places), grow(places[:KEPT_AT_MOST], limit=NEVER)
    except OSError as error:
        return f"Memory of a connection was not measured: {error}."
    found.memory = {
        "ours": ours.most,
        "kept": kept.fresh + kept.per_tenant * tenants,
        "each": kept.per_tenant,
        "fresh": kept.fresh,
    }
    found.took["kept memory"] = list(kept.after.values())
    return (
        f"A connection is looked at from {limits[FROM]} tenants on and ended above {limits[MEGABYTES]} MB;"
        f" {ours.processes} of them served these {tenants}."
    )


def _measure_pages(tenants: int, rounds: int, found: Findings) -> None:
    """Ask for the sign-in page of one tenant and of all of them, in turns."""
    block = 50
    with running_pages() as pages:
        pages.ask("/sign-in", range(tenants))
        for number in range(2 * rounds):
            begin = number * block
            for name, numbers in (
                ("page of one", [0] * block),
                ("page of all", [each % tenants for each in range(begin, begin + block)]),
            ):
                found.took.setdefault(name, []).extend(pages.ask("/sign-in", numbers))


def _rows(found: Findings, tenants: int) -> list[Row]:
    middle = {name: median(values) for name, values in found.took.items()}
    first, last = found.marks[0], found.marks[-1]
    rows = []
    for mark in found.marks:
        names = [kind.name for kind in found.kinds if f"{kind.name} at {mark}" in middle]
        peers = {name: middle[f"{name} at {mark}"] * 1000 for name in names}
        targets: tuple[Target, ...] = (TimesLimit(1.2),)
        if mark == last:
            targets += (TimesBetter(15, "django-tenants"), TimesBetter(9, "django-pgschemas"))
        limit = middle[f"bare at {mark}"] * 1000
        rows.append(Row(f"slot built beside {mark:,}", "ms", middle[f"replay at {mark}"] * 1000, peers, limit, targets))
    for mark in found.marks:
        rows.append(Row(f"slot handed out beside {mark:,}", "ms", middle[f"claim at {mark}"] * 1000, target=AtMost(5)))
    growth = {kind.name: middle[f"{kind.name} at {last}"] / middle[f"{kind.name} at {first}"] for kind in found.kinds}
    ours = middle[f"replay at {last}"] / middle[f"replay at {first}"]
    bare = middle[f"bare at {last}"] / middle[f"bare at {first}"]
    rows += [
        Row(f"beside {last:,} ÷ beside {first:,}", "×", ours, growth, bare, AtMost(1.1)),
        Row("tenants made, two connections, checkpoints included", "tenants/s", middle["tenants/s"]),
        Row("longest checkpoint meanwhile", "s", max(found.took["checkpoint"])),
        Row("relations of an empty tenant", "count", found.relations, target=AtMost(400)),
        Row("disk of an empty tenant", "MB", found.megabytes),
    ]
    if found.memory:
        kept = {KEPT: found.memory["kept"]}
        rows += [
            Row(f"memory of a connection over {tenants:,}", "MB", found.memory["ours"], kept, target=AtMost(300)),
            Row("what one more tenant adds to a connection", "MB", found.memory["each"]),
        ]
    return [
        *rows,
        Row("sign-in page of one tenant", "ms", middle["page of one"] * 1000),
        Row(f"sign-in page of {tenants:,} tenants in turn", "ms", middle["page of all"] * 1000),
    ]
