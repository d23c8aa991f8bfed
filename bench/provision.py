"""How long a new tenant's schema takes among a fleet: replayed, handed out, migrated, and as the peers make it."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter

import psycopg

from bench.peers import Peer, known_kinds, running_peer
from bench.place import copy_database, temporary_place
from bench.quiet import tell, tell_measuring
from bench.report import AtMost, Measured, Row, TimesBetter, TimesLimit, summary
from bench.standing import add_tenants, checkpoint, creation_text

ABOUT = (
    "A new tenant's schema from nothing to usable while a fleet of others stands in the same database, in rounds of"
    " shuffled order on one server; the first round warms up and is not counted. Each peer works in a process of its"
    " own over the same tenant applications, beside a copy of the same fleet, and must end with as many tables as"
    " ours. As they come they run the migrations; in clone mode they copy a schema that was migrated before"
    " (TENANT_BASE_SCHEMA and CLONE_REFERENCE). Replay announces the schema in the ledger, makes schema and role, and"
    " proves the result by its fingerprint; its text is compiled once for a release by real migrations, which is not"
    " counted here. Migrations make schema and role. A peer makes the schema and its rows of tenant and host; no role,"
    " no proof. Handing out takes a waiting schema and proves it; the peers keep none waiting, so what they do at that"
    " moment stands beside it. Limit: the same statements sent without ledger, lock and proof, in the same rounds."
)
TENANTS, CLONES = "django-tenants", "clone mode"


class PeerDiffers(RuntimeError):
    """The peer did not make the same number of tables, so it cannot be compared."""


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
    from infra.ids import uuid7
    from provisioning.slots import claim_slot

    run = uuid7()
    began = perf_counter()
    name = claim_slot(run)
    took = perf_counter() - began
    assert name is not None, "each round has put one into stock"
    return took


def bare_statements(connection: psycopg.Connection) -> float:
    """Send the statements of a schema and nothing else; returns seconds."""
    from provisioning.schemas import current_release, new_schema_name
    from provisioning.templates import find_blueprint

    blueprint = find_blueprint(current_release())
    assert blueprint is not None
    text = creation_text(new_schema_name(), blueprint).encode()
    began = perf_counter()
    connection.execute(text)
    return perf_counter() - began


def run(*, rounds: int = 15, tenants: int = 1_000, peers: str = "all", careless: bool = False, **_: object) -> Measured:
    """Measure beside a fleet of so many tenants. Raises PeerDiffers."""
    with temporary_place(durable=not careless) as server, ExitStack() as stack:
        from django.conf import settings
        from django.utils import timezone

        from provisioning.schemas import current_release
        from provisioning.templates import ensure_template

        blueprint, _built = ensure_template(timezone.now())
        add_tenants(server, blueprint, current_release(), tenants)
        kinds, remarks = known_kinds(peers)
        places = {engine: copy_database(server, engine) for engine in dict.fromkeys(kind.engine for kind in kinds)}
        beside = [stack.enter_context(running_peer(kind, places[kind.engine])) for kind in kinds]
        bare = stack.enter_context(psycopg.connect(settings.ENV.database_url, autocommit=True))
        checkpoint(server)
        ways: list[tuple[str, Callable[[], float]]] = [
            ("replay", by_replay),
            ("migrations", by_migrations),
            ("bare", lambda: bare_statements(bare)),
            *((peer.kind.name, peer.create) for peer in beside),
        ]
        tell_measuring()
        took = _rounds(ways, rounds)
        ours = _tables(bare)
        _compare_tables(beside, ours)
        return Measured(
            _rows(took, [kind.name for kind in kinds], tenants, blueprint.relations, ours),
            bare.info.server_version,
            took,
            durable=not careless,
            remarks=remarks,
        )


def _rounds(ways: list[tuple[str, Callable[[], float]]], rounds: int) -> dict[str, list[float]]:
    """Let everybody take a turn in each round; returns the seconds of each."""
    took: dict[str, list[float]] = {}
    # What ran just before leaves its mark, so nobody always follows the same one.
    order = random.Random(20261121)
    for number in range(rounds + 1):
        tell(f"round {number} of {rounds}")
        order.shuffle(ways)
        for name, way in [*ways, ("claim", by_handing_out)]:
            seconds = way()
            if number:
                took.setdefault(name, []).append(seconds)
    return took


def _compare_tables(beside: list[Peer], ours: int) -> None:
    for peer in beside:
        if peer.tables != ours:
            raise PeerDiffers(f"{peer.kind.name} made {peer.tables} tables, we made {ours}.")


def _tables(connection: psycopg.Connection) -> int:
    """Return how many tables the newest of our schemas has."""
    row = connection.execute(
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace ="
        " (SELECT max(oid) FROM pg_namespace WHERE nspname LIKE 't\\_%')"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _rows(took: dict[str, list[float]], kinds: list[str], tenants: int, relations: int, tables: int) -> list[Row]:
    found = {name: summary(seconds) for name, seconds in took.items()}
    rows = [Row("tenants that stand there", "count", float(tenants))]
    for index, word in enumerate(("median", "95th percentile")):
        peers = {name: found[name][index] for name in kinds}
        migrating = {name: value for name, value in peers.items() if CLONES not in name}
        bare = found["bare"][index]
        replay: tuple[TimesLimit | TimesBetter, ...] = ()
        claim: tuple[AtMost | TimesBetter, ...] = ()
        if not index:
            replay = (TimesLimit(1.2), TimesBetter(15, TENANTS), TimesBetter(9, "django-pgschemas"))
            claim = (AtMost(5), TimesBetter(400, TENANTS))
        rows += [
            Row(f"schema by replay, {word}", "ms", found["replay"][index], peers, bare, replay or None),
            Row(f"schema by migrations, {word}", "ms", found["migrations"][index], migrating, bare),
            Row(f"schema handed out of the stock, {word}", "ms", found["claim"][index], peers, None, claim or None),
        ]
    return [
        *rows,
        Row("tables in a schema", "count", float(tables), target=AtMost(60)),
        Row("relations in a schema", "count", float(relations), target=AtMost(400)),
    ]
