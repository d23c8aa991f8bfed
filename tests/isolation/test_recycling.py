"""A connection serves so many companies and no more: what the server keeps of each goes with it (S6)."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, ProgrammingError, connection, connections, transaction
from django.utils import timezone

from bench.memory import private_memory, touch_every_table
from infra.env import Env
from provisioning.pool import WITHIN
from provisioning.slots import announce_slot, make_slot
from tenants.backend import recycling
from tenants.backend.base import DatabaseWrapper
from tenants.backend.recycling import FROM, MEGABYTES, MOST, held_by
from tenants.context import serving
from tenants.scope import tenant_scope
from tests import databases
from tests.cast import ACME, GLOBEX
from tests.provisioning.schemas import alter

COMPANIES = 30
LIMIT = 10
MOST_MEGABYTES = 300
Place = tuple[UUID, str]
Met = dict[int, set[str]]


@pytest.fixture(scope="module")
def schemas(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Place]]:
    """Thirty companies' schemas in a database of its own; Django signs in with the application's login."""
    before = connection.settings_dict["NAME"]
    name = f"test_recycling_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with django_db_blocker.unblock():
        databases.clone(name)
        databases.use(name, owner=True)
        slots = [announce_slot(run_id=None, now=timezone.now()) for _ in range(COMPANIES)]
        for slot in slots:
            make_slot(slot, crash_within=WITHIN)
        databases.use(name)
        try:
            yield [(uuid4(), slot.schema_name) for slot in slots]
        finally:
            databases.use(before)


@pytest.fixture
def make_wrapper(schemas: list[Place]) -> Iterator[Callable[..., DatabaseWrapper]]:
    """Make a wrapper around connections of its own, with a pool of some size or none.

    Without `most` the number of companies alone decides.
    """
    made: list[DatabaseWrapper] = []

    def make(*, pool: int, limit: int = LIMIT, most: int | None = None, megabytes: float = 0) -> DatabaseWrapper:
        given = connections[DEFAULT_DB_ALIAS].settings_dict
        options = dict(given["OPTIONS"])
        if pool:
            options["pool"] = {"min_size": 1, "max_size": pool}
        age = 0 if pool else None
        changed = {"OPTIONS": options, "CONN_MAX_AGE": age, FROM: limit, MOST: most or limit, MEGABYTES: megabytes}
        made.append(DatabaseWrapper({**given, **changed}, f"recycled_{uuid4().hex}"))
        return made[-1]

    yield make
    for wrapper in made:
        wrapper.close()
        wrapper.close_pool()


def _visit(wrapper: DatabaseWrapper, place: Place, met: Met) -> int:
    """Ask one company something and note which server process answered."""
    with tenant_scope(*place), wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_schema(), (SELECT count(*) FROM customers_customer)")
        pid, schema, _ = cursor.fetchone()
    assert schema == place[1]
    met[pid].add(schema)
    return int(pid)


def test_a_pooled_connection_is_replaced_when_it_has_met_enough_companies(
    schemas: list[Place], make_wrapper: Callable[..., DatabaseWrapper]
) -> None:
    wrapper, met = make_wrapper(pool=1), defaultdict[int, set[str]](set)
    for place in schemas:
        _visit(wrapper, place, met)
        wrapper.close()
    assert [len(each) for each in met.values()] == [LIMIT] * (COMPANIES // LIMIT)


def test_visiting_the_same_companies_again_wears_nothing_out(
    schemas: list[Place], make_wrapper: Callable[..., DatabaseWrapper]
) -> None:
    """The number of different companies counts, not the number of requests."""
    wrapper, met = make_wrapper(pool=1), defaultdict[int, set[str]](set)
    for _ in range(5):
        for place in schemas[: LIMIT - 1]:
            _visit(wrapper, place, met)
            wrapper.close()
    assert [len(each) for each in met.values()] == [LIMIT - 1]


def test_a_shared_pool_keeps_to_the_limit_however_threads_take_turns(
    schemas: list[Place], make_wrapper: Callable[..., DatabaseWrapper]
) -> None:
    """Each thread has its own wrapper; the connections go from one to the other."""
    first = make_wrapper(pool=3)
    met = defaultdict[int, set[str]](set)

    def work(seed: int) -> None:
        choose = random.Random(seed)
        wrapper = DatabaseWrapper(first.settings_dict, first.alias)
        for _ in range(60):
            _visit(wrapper, choose.choice(schemas), met)
            wrapper.close()

    with ThreadPoolExecutor(6) as threads:
        for done in [threads.submit(work, seed) for seed in range(6)]:
            done.result()
    assert max(len(each) for each in met.values()) <= LIMIT
    assert len(met) > COMPANIES // LIMIT


def test_a_connection_without_a_pool_is_replaced_between_two_requests(
    schemas: list[Place], make_wrapper: Callable[..., DatabaseWrapper]
) -> None:
    wrapper, met = make_wrapper(pool=0), defaultdict[int, set[str]](set)
    for place in schemas:
        _visit(wrapper, place, met)
        wrapper.close_if_unusable_or_obsolete()
    assert [len(each) for each in met.values()] == [LIMIT] * (COMPANIES // LIMIT)


def test_no_connection_ends_under_an_open_transaction(
    schemas: list[Place], make_wrapper: Callable[..., DatabaseWrapper]
) -> None:
    wrapper, met = make_wrapper(pool=0, limit=1), defaultdict[int, set[str]](set)
    connections[wrapper.alias] = wrapper
    try:
        with tenant_scope(*schemas[0]), transaction.atomic(using=wrapper.alias):
            first = _visit(wrapper, schemas[0], met)
            wrapper.end_if_used_up()
            assert _visit(wrapper, schemas[0], met) == first
        wrapper.end_if_used_up()
        assert _visit(wrapper, schemas[1], met) != first
    finally:
        del connections[wrapper.alias]


def test_code_that_goes_from_company_to_company_changes_connections_on_its_way(
    schemas: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock's sweeps serve every company without giving the connection back in between."""
    connection.close()
    for name in (FROM, MOST):
        monkeypatch.setitem(connection.settings_dict, name, 2)
    pids = []
    for tenant_id in (ACME, GLOBEX, ACME, GLOBEX, ACME):
        with serving(tenant_id, timezone.now()), connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


def _serve_all(wrapper: DatabaseWrapper, places: list[Place]) -> Met:
    met = defaultdict[int, set[str]](set)
    for place in places:
        _visit(wrapper, place, met)
        if wrapper.pool:
            wrapper.close()
        else:
            wrapper.close_if_unusable_or_obsolete()
    return met


@pytest.mark.parametrize("pool", [0, 1])
def test_a_connection_that_holds_little_meets_more_companies_up_to_the_most(
    pool: int, schemas: list[Place], make_wrapper: Callable[..., DatabaseWrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recycling, "BETWEEN_LOOKS", 4)
    met = _serve_all(make_wrapper(pool=pool, most=22, megabytes=MOST_MEGABYTES), schemas)
    assert [len(each) for each in met.values()] == [22, COMPANIES - 22]


@pytest.mark.parametrize("pool", [0, 1])
def test_a_connection_ends_when_it_has_really_grown_so_much(
    pool: int, schemas: list[Place], make_wrapper: Callable[..., DatabaseWrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server holds is seen to grow from company to company, and decides."""
    monkeypatch.setattr(recycling, "BETWEEN_LOOKS", 1)
    wrapper = make_wrapper(pool=0, limit=COMPANIES + 1)
    sizes = []
    for place in schemas:
        _visit(wrapper, place, defaultdict(set))
        sizes.append(held_by(wrapper.connection) or 0)
    assert 0 < sizes[0] < sizes[LIMIT] < sizes[-1]
    between = (sizes[LIMIT] + sizes[-1]) / 2
    first, *_others = _serve_all(make_wrapper(pool=pool, most=2_000, megabytes=between), schemas).values()
    assert LIMIT < len(first) < COMPANIES


def test_a_connection_ends_also_when_it_grows_among_companies_that_it_has_met(
    schemas: list[Place], make_wrapper: Callable[..., DatabaseWrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other pages of the same companies touch other tables: meeting nobody new is no reason not to look."""
    monkeypatch.setattr(recycling, "BETWEEN_LOOKS", 1)
    light = make_wrapper(pool=0, limit=COMPANIES + 1)
    _serve_all(light, schemas)
    wrapper = make_wrapper(pool=0, most=2_000, megabytes=(held_by(light.connection) or 0) + 3)
    assert len(_serve_all(wrapper, schemas)) == 1
    pids = []
    for place in schemas * 2:
        with tenant_scope(*place), wrapper.cursor() as cursor:
            touch_every_table(cursor, place[1])
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
        wrapper.close_if_unusable_or_obsolete()
        if pids[0] != pids[-1]:
            break
    assert pids[0] != pids[-1]


@pytest.mark.parametrize("why", ["no right", "no function"])
def test_a_connection_of_which_nothing_is_known_ends_after_the_fixed_number(
    why: str, schemas: list[Place], make_wrapper: Callable[..., DatabaseWrapper]
) -> None:
    """Whatever keeps the server from telling, a connection never grows on without anybody looking."""
    before, after = {
        "no right": (
            "FUNCTION gate.memory() OWNER TO porchlight_control",
            "FUNCTION gate.memory() OWNER TO porchlight_owner",
        ),
        "no function": ("FUNCTION gate.memory() RENAME TO other", "FUNCTION gate.other() RENAME TO memory"),
    }[why]
    alter(f"ALTER {before}")
    try:
        met = _serve_all(make_wrapper(pool=1, most=2_000, megabytes=MOST_MEGABYTES), schemas)
    finally:
        alter(f"ALTER {after}")
    assert [len(each) for each in met.values()] == [LIMIT] * (COMPANIES // LIMIT)


def test_nothing_is_asked_inside_a_transaction(
    schemas: list[Place], make_wrapper: Callable[..., DatabaseWrapper]
) -> None:
    wrapper = make_wrapper(pool=0, most=2_000, megabytes=MOST_MEGABYTES)
    _visit(wrapper, schemas[0], defaultdict(set))
    raw = wrapper.connection
    assert held_by(raw)
    wrapper.set_autocommit(False)
    assert held_by(raw) is None
    assert raw.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_whoever_asks_learns_one_number_and_nothing_else(schemas: list[Place]) -> None:
    """A company's role may ask what its session holds; the contexts themselves stay the superuser's matter."""
    with tenant_scope(*schemas[0]), connection.cursor() as cursor:
        cursor.execute("SELECT gate.memory()")
        assert cursor.fetchone()[0] > 2**20
        with pytest.raises(ProgrammingError, match="permission denied"):
            cursor.execute("SELECT count(*) FROM pg_backend_memory_contexts")


def test_the_limit_keeps_a_connection_below_its_memory(schemas: list[Place]) -> None:
    """A server process stays below 300 MB with every table of every company touched, as the schema is today.

    Until it is looked at for the first time, and from one look to the next when it was just below its limit.
    """
    assert settings.DATABASES["default"]["TENANTS_PER_CONNECTION"] == settings.ENV.tenants_per_connection
    limit, megabytes = (
        int(Env.__dataclass_fields__[name].metadata["default"])
        for name in ("tenants_per_connection", "megabytes_per_connection")
    )
    name, host = connection.settings_dict["NAME"], databases.connection_host()
    with psycopg.connect(host=host, user="postgres", dbname=name, autocommit=True) as superuser:

        def used() -> float:
            return private_memory(superuser.info.backend_pid)

        def told() -> float:
            ((size,),) = superuser.execute("SELECT sum(total_bytes) FROM pg_backend_memory_contexts").fetchall()
            return float(size) / 2**20

        sizes, told_before = [used()], told()
        for _, schema in schemas:
            tables = superuser.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema]).fetchall()
            for (table,) in tables:
                superuser.execute(f'SELECT * FROM {schema}."{table}" LIMIT 1')
            sizes.append(used())
        grown, told_to_have_grown = sizes[-1] - sizes[0], told() - told_before
    # Not from the fresh process: what the first companies cost once is no measure of the last ones.
    per_company = (sizes[-1] - sizes[LIMIT]) / (COMPANIES - LIMIT)
    assert sizes[LIMIT] + per_company * (limit - LIMIT) < MOST_MEGABYTES
    assert per_company < recycling.MOST_OF_AN_ENTRY
    assert megabytes + per_company * recycling.BETWEEN_LOOKS < MOST_MEGABYTES
    assert per_company > 0.1, "nothing was measured"
    assert told_to_have_grown > 0.9 * grown, "the server's sum would let a connection grow above its limit"
