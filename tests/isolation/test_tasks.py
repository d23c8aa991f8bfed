"""Background work serves whom its envelope names and nobody else: a real queue, a real worker (ISO-20…23)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import dramatiq
import pytest
from django.db import connection, transaction
from django.utils import timezone
from dramatiq import Worker
from dramatiq.brokers.redis import RedisBroker

from infra.queue import seal
from portal.customers.models import Customer
from tenants.context import TenantContext, serving
from tenants.models import Tenant
from tenants.scope import scope_or_none
from tenants.tasks import control_task, hints_once, tenant_task
from tests import databases
from tests.cast import ACME, GLOBEX

QUEUE = "isolation"
NAMES = {ACME: ["Alice Archer", "Bob Baker"], GLOBEX: ["Charlie Chen"]}


@dataclass
class Seen:
    """What the bodies of the tasks found."""

    names: list[tuple[UUID, list[str]]] = field(default_factory=list)
    tenants: list[int] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)


SEEN = Seen()


@tenant_task(queue=QUEUE)
def note_customers(*, context: TenantContext, crash: bool = False, **_: Any) -> None:
    """Write down whose customers are found; on demand, leave everything open and fall over."""
    found = list(Customer.objects.order_by("name").values_list("name", flat=True))
    SEEN.names.append((context.tenant.id, found))
    if crash:
        transaction.set_autocommit(False)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('search_path', %s, false)", [context.tenant.schema_name])
        raise BrokenBody


class BrokenBody(Exception):
    """A task that fails on purpose."""


note_customers.actor.options["max_retries"] = 0


@control_task(queue=QUEUE)
def count_tenants() -> None:
    """Count on the control plane."""
    scope = scope_or_none()
    SEEN.tenants.append(Tenant.objects.count())
    SEEN.scopes.append(scope.kind if scope else "none")


@dataclass
class Bench:
    """The broker, and a worker with one thread."""

    broker: RedisBroker
    worker: Worker

    def finish(self) -> None:
        """Work until the queue is empty, rejected messages included."""
        self.worker.start()
        self.broker.join(QUEUE, timeout=60_000)
        self.worker.join()
        self.worker.stop()

    def waiting(self) -> int:
        """Count the messages a worker would see."""
        return int(self.broker.client.llen(f"{self.broker.namespace}:{QUEUE}"))

    def dead(self) -> int:
        """Count the dead letters."""
        return int(self.broker.client.zcard(f"{self.broker.namespace}:{QUEUE}.XQ"))


@pytest.fixture
def bench(django_db_setup: None, django_db_blocker: Any) -> Iterator[Bench]:
    """Give an empty queue and a worker; the worker's thread has its own connection to the cast's database."""
    broker = dramatiq.get_broker()
    assert isinstance(broker, RedisBroker)
    broker.flush(QUEUE)
    broker.flush(f"{QUEUE}.XQ")
    SEEN.names.clear()
    SEEN.tenants.clear()
    SEEN.scopes.clear()
    with django_db_blocker.unblock():
        yield Bench(broker, Worker(broker, queues={QUEUE}, worker_threads=1, worker_timeout=100))
    broker.flush(QUEUE)


@pytest.fixture
def statements() -> Iterator[Callable[[], int]]:
    """Count what the application's login has ever begun in this database."""

    def count() -> int:
        with databases.admin() as admin:
            admin.execute("SELECT pg_stat_force_next_flush()")
            row = admin.execute(
                "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = %s",
                [connection.settings_dict["NAME"]],
            ).fetchone()
        assert row
        return int(row[0])

    return count


def _envelopes() -> dict[str, Any]:
    now = timezone.now()
    good = seal(note_customers.kind, str(ACME), {}, now=now)
    return {
        "no envelope": None,
        "a text": "envelope",
        "an empty one": {},
        "without signature": {key: value for key, value in good.items() if key != "mac"},
        "another tenant written in": {**good, "tenant_id": str(GLOBEX)},
        "another payload written in": {**good, "payload": {"crash": True}},
        "another task's": seal(count_tenants.kind, str(ACME), {}, now=now),
        "another version": {**good, "v": 2},
        "a signature of nothing": {**good, "mac": "0" * 64},
    }


@pytest.mark.parametrize("envelope", _envelopes().values(), ids=_envelopes())
def test_a_message_that_is_not_ours_dies_without_touching_the_database(
    bench: Bench, statements: Callable[[], int], envelope: Any
) -> None:
    """ISO-20, F-45."""
    connection.close()
    before = statements()
    note_customers.actor.send(envelope=envelope)
    bench.finish()
    assert SEEN.names == []
    assert bench.dead() == 1
    assert statements() == before


def test_a_message_of_ours_does_touch_it(bench: Bench, statements: Callable[[], int]) -> None:
    """The count above can see."""
    connection.close()
    before = statements()
    note_customers.hint_for(ACME)
    bench.finish()
    assert SEEN.names == [(ACME, NAMES[ACME])]
    assert bench.dead() == 0
    assert statements() > before


def test_a_task_of_a_company_that_is_gone_dies(bench: Bench) -> None:
    """ISO-20: a valid signature does not make a tenant."""
    note_customers.hint_for(UUID(int=7))
    bench.finish()
    assert SEEN.names == []
    assert bench.dead() == 1


def test_a_control_task_does_not_serve_a_tenant(bench: Bench) -> None:
    """ISO-21: a tenant's envelope opens no control scope."""
    count_tenants.actor.send(envelope=seal(count_tenants.kind, str(ACME), {}, now=timezone.now()))
    bench.finish()
    assert SEEN.tenants == []
    assert bench.dead() == 1


def test_one_thread_serves_tenants_and_control_in_turn(bench: Bench) -> None:
    """ISO-21: each in its own scope, sixty times, on the same thread."""
    for _ in range(20):
        note_customers.hint_for(ACME)
        count_tenants.hint()
        note_customers.hint_for(GLOBEX)
    bench.finish()
    assert len(SEEN.names) == 40
    for tenant, found in SEEN.names:
        assert found == NAMES[tenant]
    assert SEEN.tenants == [2] * 20
    assert set(SEEN.scopes) == {"control"}


def test_a_thread_that_fell_over_in_one_company_serves_the_next_one_in_its_own(bench: Bench) -> None:
    """ISO-21: an open transaction and a changed path do not survive a crash."""
    for tenant in (ACME, GLOBEX):
        note_customers.hint_for(tenant, crash=True)
        note_customers.hint_for(GLOBEX if tenant == ACME else ACME)
        count_tenants.hint()
    bench.finish()
    assert [tenant for tenant, _ in SEEN.names] == [ACME, GLOBEX, GLOBEX, ACME]
    for tenant, found in SEEN.names:
        assert found == NAMES[tenant]
    assert SEEN.tenants == [2, 2]
    assert bench.dead() == 2


def test_no_message_is_seen_before_its_transaction_and_none_after_a_rollback(bench: Bench) -> None:
    """ISO-23."""
    with serving(ACME, timezone.now()):
        with transaction.atomic():
            note_customers.hint_after_commit(ACME)
            assert bench.waiting() == 0
        assert bench.waiting() == 1
        with transaction.atomic():
            note_customers.hint_after_commit(ACME)
            transaction.set_rollback(True)
        assert bench.waiting() == 1
    connection.close()


def test_a_block_of_work_asks_once_for_each_company_and_only_for_what_was_committed(bench: Bench) -> None:
    """ISO-22, ISO-23: also when the block fails after its first commits."""

    def work() -> None:
        with hints_once():
            for tenant in (ACME, ACME, GLOBEX):
                with serving(tenant, timezone.now()), transaction.atomic():
                    note_customers.hint_after_commit(tenant)
            with serving(ACME, timezone.now()), transaction.atomic():
                note_customers.hint_after_commit(ACME)
                raise BrokenBody

    with pytest.raises(BrokenBody):
        work()
    assert bench.waiting() == 2
    connection.close()
    bench.finish()
    assert sorted(SEEN.names) == sorted(NAMES.items())


def test_what_is_registered_for_the_commit_runs_in_the_same_company(bench: Bench) -> None:
    """ISO-22: also when another scope is opened and closed in between."""
    seen: list[tuple[UUID | None, list[str]]] = []

    def note() -> None:
        scope = scope_or_none()
        found = list(Customer.objects.order_by("name").values_list("name", flat=True))
        seen.append((scope.tenant_id if scope else None, found))

    for tenant in (ACME, GLOBEX):
        with serving(tenant, timezone.now()), transaction.atomic():
            transaction.on_commit(note)
    connection.close()
    assert seen == [(tenant, NAMES[tenant]) for tenant in (ACME, GLOBEX)]


def test_no_envelope_carries_more_than_ids(bench: Bench) -> None:
    """Decided 13: whoever reads the queue learns nothing about anybody."""
    note_customers.hint_for(ACME)
    (key,) = bench.broker.client.lrange(f"{bench.broker.namespace}:{QUEUE}", 0, -1)
    raw = bench.broker.client.hget(f"{bench.broker.namespace}:{QUEUE}.msgs", key).decode()
    assert str(ACME) in raw
    assert not any(word in raw for word in ("Acme", "acme", "Alice", "t_ac3e", "@"))
