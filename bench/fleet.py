"""How fast a release reaches a fleet, and how long it takes to learn that there is nothing to do."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import psycopg

from bench.peers import Kind, Peer, known_kinds, running_peer
from bench.place import copy_database, server_version, temporary_place
from bench.quiet import tell, tell_measuring
from bench.report import AtLeast, AtMost, Measured, Row, TimesBetter
from bench.standing import add_tenants, checkpoint
from bench.through import CONNECTIONS, Share, ask_records, send_bare
from infra.embedded.postgres import RunningPostgres

if TYPE_CHECKING:
    from provisioning.blueprint import Blueprint

ABOUT = (
    "A release with a column, an index and a table reaches a fleet of tenants over two connections, ours by the"
    " product's own roll-out: ledger, waves, lock timeout, one transaction for each tenant, and each result proved."
    " It is planned once; that is measured by itself. Each round takes another share of the fleet, in"
    " shuffled order with the peers. The peers run their own commands over a sample of the tenants in a copy of the"
    " same database, one by one and two at once (processes for django-tenants, threads for django-pgschemas); their"
    " figures are rates over that sample, and times for a whole fleet follow from the rate, because a whole fleet"
    " takes them hours. 'Nothing to do' is the same command once more. Ours is one question to the ledger; beside it"
    " stand reading the record of migrations in every schema, comparing every schema's stamp (whether anything in its"
    " catalogue was touched since it was proved), and proving every catalogue anew, all three over two connections."
    " Times for 10,000 tenants follow from the measured rate, the ledger's excepted, which is asked as it stands."
    " Limit: the plan's statements sent without ledger, lock, waves and proof."
)
YESTERDAY, NEXT = "yesterday", "next_release"
WAYS = ("one by one", "two at once")
FLEET = 10_000


class NotMigrated(RuntimeError):
    """Somebody did not bring every tenant to the release, so a time would mean nothing."""


def run(
    *, rounds: int = 3, tenants: int = 1_000, sample: int = 8, peers: str = "all", careless: bool = False, **_: object
) -> Measured:
    """Measure with a fleet of so many tenants. Raises NotMigrated."""
    with temporary_place(durable=not careless, settings="bench.next_settings") as server, ExitStack() as stack:
        from django.utils import timezone

        from provisioning.plans import ensure_plan

        names = add_tenants(server, make_yesterday(), YESTERDAY, tenants)
        kinds, remarks = known_kinds(peers)
        kinds = [kind for kind in kinds if not kind.is_clone]
        places = {kind: copy_database(server, kind.engine) for kind in kinds}
        tell_measuring()
        began = perf_counter()
        plan = ensure_plan(YESTERDAY, timezone.now())
        planning = perf_counter() - began
        # A few are kept for the bare statements; the ledger must not offer them to the roll-out.
        apart = min(20 * rounds, tenants // 4)
        bare, ours = names[:apart], names[apart:]
        _pretend_done(names)
        ways: list[tuple[str, Callable[[int], tuple[float, float]]]] = [
            ("ours", lambda number: _roll_out(Share(ours[number::rounds], plan))),
            ("bare", lambda number: (send_bare(Share(bare[number::rounds], plan)), 0.0)),
        ]
        for kind in kinds:
            peer = stack.enter_context(running_peer(kind, places[kind]))
            for way in WAYS:
                ways.append((f"{kind.name}, {way}", _turn_of(server, peer, kind, way, names, rounds, sample)))
        took = _rounds(server, ways, rounds)
        _set_apart(bare)
        seconds = _ask_ledger()
        took["records"] = [len(ours) / ask_records(ours) for _ in range(rounds)]
        took["fingerprints"] = [_check(every_fingerprint=True)]
        took["stamps"] = [_check(every_fingerprint=False) for _ in range(rounds)]
        rows = _rows(took, tenants, seconds, planning)
        return Measured(rows, server_version(server), took, durable=not careless, remarks=remarks)


def make_yesterday() -> Blueprint:
    """Return what a schema was before the newest migration, kept as a deployment keeps it."""
    from django.db import transaction
    from django.utils import timezone

    from provisioning.blueprint import compile_blueprint
    from provisioning.models import SchemaTemplate
    from provisioning.schemas import (
        create_schema,
        drop_schema,
        new_schema_name,
        pending_migrations,
        settle_tenant_grants,
    )
    from tenants.scope import control_scope, owner_scope

    name = new_schema_name()
    create_schema(name)
    with owner_scope(name):
        executor, pending = pending_migrations()
        executor.migrate([(each.app_label, each.name) for each in pending if each.name != NEXT])
        with transaction.atomic():
            settle_tenant_grants(name)
    blueprint = compile_blueprint(name)
    drop_schema(name)
    now = timezone.now()
    facts = {"ddl": blueprint.ddl, "fingerprint": blueprint.fingerprint, "relations": blueprint.relations}
    with control_scope():
        SchemaTemplate.objects.create(release=YESTERDAY, schema_name=name, created_at=now, built_at=now, **facts)
    return blueprint


def _pretend_done(names: list[str], release: str = "") -> None:
    """Write into the ledger that these schemas have a release, this code's by default."""
    from provisioning.models import SchemaSlot
    from provisioning.schemas import current_release
    from tenants.scope import control_scope

    with control_scope():
        SchemaSlot.objects.filter(schema_name__in=names).update(release=release or current_release())


def _roll_out(share: Share) -> tuple[float, float]:
    """Bring a share of the fleet to the release; returns tenants per second, and nothing for doing nothing."""
    from django.utils import timezone

    from provisioning.fleet import roll_out
    from tenants.audit import SYSTEM

    _pretend_done(share.names, YESTERDAY)
    began = perf_counter()
    status = roll_out(by=SYSTEM, now=timezone.now())
    took = perf_counter() - began
    if status.behind or status.failed:
        raise NotMigrated(f"{status.behind} of ours are behind, {status.failed} failed.")
    return len(share.names) / took, 0.0


def _turn_of(
    server: RunningPostgres, peer: Peer, kind: Kind, way: str, names: list[str], rounds: int, sample: int
) -> Callable[[int], tuple[float, float]]:
    """Return what the peer does in a round: migrate a sample nobody has migrated there, then once more."""

    def turn(number: int) -> tuple[float, float]:
        begin = (WAYS.index(way) * rounds + number) * sample % len(names)
        some = (names + names)[begin : begin + min(sample, len(names) // (2 * rounds) or 1)]
        peer.ask("adopt", some)
        took = [float(peer.ask("migrate", way)["seconds"]) for _ in range(2)]
        with psycopg.connect(server.url(dbname=kind.engine)) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_tables WHERE tablename = 'invoices_reminder' AND schemaname = ANY(%s)", [some]
            ).fetchone()
        if found != (len(some),):
            raise NotMigrated(f"{kind.name} left tenants behind.")
        return len(some) / took[0], len(some) / took[1]

    return turn


def _rounds(
    server: RunningPostgres, ways: list[tuple[str, Callable[[int], tuple[float, float]]]], rounds: int
) -> dict[str, list[float]]:
    """Let everybody take a turn in each round; returns the rates of each."""
    took: dict[str, list[float]] = {}
    order = random.Random(20261121)
    for number in range(rounds):
        order.shuffle(ways)
        for name, way in ways:
            checkpoint(server)
            migrated, idle = way(number)
            tell(f"round {number + 1} of {rounds}, {name}: {migrated:.1f} tenants/s")
            took.setdefault(name, []).append(migrated)
            took.setdefault(f"{name}, nothing to do", []).append(idle)
    return took


def _ask_ledger() -> float:
    """Return the seconds it takes to learn from the ledger that nothing is behind."""
    from provisioning.fleet import behind

    began = perf_counter()
    left = behind()
    took = perf_counter() - began
    if left:
        raise NotMigrated(f"The ledger says {left}.")
    return took


def _set_apart(names: list[str]) -> None:
    """Take schemas that the product did not migrate out of the fleet."""
    from provisioning.models import SchemaSlot
    from tenants.scope import control_scope

    with control_scope():
        SchemaSlot.objects.filter(schema_name__in=names).update(state=SchemaSlot.State.DROPPED)


def _check(*, every_fingerprint: bool) -> float:
    """Have the product look at every schema; returns tenants per second. Raises NotMigrated."""
    from provisioning.fleet_check import check_fleet

    began = perf_counter()
    count, differences = check_fleet(connections=CONNECTIONS, every_fingerprint=every_fingerprint)
    took = perf_counter() - began
    if differences:
        raise NotMigrated(f"{len(differences)} of {count} are not as their release, the first: {differences[0]}.")
    return count / took


def _rows(took: dict[str, list[float]], tenants: int, ledger: float, planning: float) -> list[Row]:
    rate = {name: median(values) for name, values in took.items()}
    names = sorted(name for name in rate if name.endswith(WAYS))
    migrated = {name: rate[name] for name in names}
    idle = {name: FLEET / rate[f"{name}, nothing to do"] for name in names}
    minutes = {name: FLEET / value / 60 for name, value in migrated.items()}
    fast = (AtLeast(240), TimesBetter(400, "django-tenants"), TimesBetter(55, "django-pgschemas"))
    seconds = "nothing to do for 10,000 tenants"
    return [
        Row("tenants that stand there", "count", float(tenants)),
        Row("a release reaches the fleet", "tenants/s", rate["ours"], migrated, rate["bare"], fast),
        Row("a release reaches 10,000 tenants", "min", FLEET / rate["ours"] / 60, minutes, target=AtMost(1)),
        Row("planning a release, once", "s", planning),
        Row(f"{seconds}, by the ledger", "s", ledger, idle, target=AtMost(1)),
        Row(f"{seconds}, by every schema's record of migrations", "s", FLEET / rate["records"], idle),
        Row(f"{seconds}, by every schema's stamp", "s", FLEET / rate["stamps"], idle, target=AtMost(6)),
        Row(f"{seconds}, by every schema's fingerprint", "s", FLEET / rate["fingerprints"], idle),
    ]
