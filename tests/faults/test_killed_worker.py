"""SIGKILL of a real worker before, after and behind each provisioning step: another one finishes it (check 14, 15)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import UUID

import pytest
from dramatiq.brokers.redis import RedisBroker
from redis import Redis

from provisioning.models import Run, SchemaSlot, Step
from provisioning.schemas import fingerprint
from provisioning.steps import activate, bind, build_slot
from provisioning.steps.order import CRASH_POINTS, STEPS
from tenants.models import Hostname, Tenant
from tenants.schema.models import IdempotencyKey, NumberSequence, OutboxEvent, TenantIdentity
from tenants.scope import control_scope, tenant_scope
from tests.faults.companies import begin_company, inside, tell
from tests.live import LiveProduct, live_product

AT_ONCE = 2
POINTS = (*CRASH_POINTS, build_slot.WITHIN, bind.WITHIN, activate.WITHIN)


@dataclass(frozen=True)
class Wreck:
    """What a killed worker left of one run: the states of its steps and their starts."""

    run_id: UUID
    left: dict[str, tuple[str, int]]


@dataclass(frozen=True)
class Outcome:
    """A product that has been through every crash, and what each left."""

    product: LiveProduct
    wrecks: dict[str, Wreck]
    undisturbed: UUID


@pytest.fixture(scope="module")
def outcome(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcome]:
    """Kill one worker at each point, then let healthy ones find what is left."""
    folder = tmp_path_factory.mktemp("killed")
    with django_db_blocker.unblock(), live_product(folder, name="test_killed", programs=("web",)) as product:
        with inside(product):
            runs = {point: begin_company(point.replace(".", "-").replace("_", "-")) for point in POINTS}
            undisturbed = begin_company("undisturbed")
        for first in range(0, len(POINTS), AT_ONCE):
            _crash(product, {point: runs[point] for point in POINTS[first : first + AT_ONCE]})
        with inside(product):
            wrecks = {point: _look(run_id) for point, run_id in runs.items()}
        product.start("provisioner")
        product.start("clock")
        product.wait_for("every run to end", lambda: _unfinished(product) == 0, seconds=60)
        with inside(product):
            yield Outcome(product, wrecks, undisturbed)


def _crash(product: LiveProduct, runs: dict[str, UUID]) -> None:
    """Let one worker each drive its run with a queue of its own until it dies at its point."""
    dying: list[tuple[str, Popen[bytes]]] = []
    for number, (point, run_id) in enumerate(runs.items(), start=1):
        url = product.valkey.url(number)
        with Redis.from_url(url) as redis:
            redis.flushdb()
        broker = RedisBroker(url=url)
        tell(broker, run_id)
        broker.close()
        product.start("provisioner", CRASH_AT=point, REDIS_URL=url)
        dying.append((point, product.processes.pop("provisioner")))
    for point, process in dying:
        assert process.wait(timeout=60) != 0, point


def _look(run_id: UUID) -> Wreck:
    with control_scope():
        steps = Step.objects.filter(run_id=run_id).values_list("name", "state", "starts")
        return Wreck(run_id, {name: (state, starts) for name, state, starts in steps})


def _unfinished(product: LiveProduct) -> int:
    ((count,),) = product.rows("SELECT count(*) FROM provisioning_run WHERE state <> 'done'")
    return int(count)


@pytest.mark.parametrize("point", POINTS)
def test_the_worker_died_exactly_there(outcome: Outcome, point: str) -> None:
    """Without this the test below would prove nothing."""
    name, boundary = point.split(".")
    left = outcome.wrecks[point].left
    order = [step.name for step in STEPS]
    done = order[: order.index(name) + (boundary == "after_record")]
    assert all(left[step] == ("done", 1) for step in done)
    if boundary != "after_record":
        assert left[name] == ("running", 1)
    assert all(left[step] == ("pending", 0) for step in order[order.index(name) + 1 :])


@pytest.mark.parametrize("point", [*POINTS, "undisturbed"])
def test_another_worker_makes_exactly_one_working_company_of_it(outcome: Outcome, point: str) -> None:
    """One tenant, one schema, one owner, one welcome, the release's fingerprint; nothing twice (R-PROV-2)."""
    run_id = outcome.undisturbed if point == "undisturbed" else outcome.wrecks[point].run_id
    with control_scope():
        run = Run.objects.get(pk=run_id)
        tenant = Tenant.objects.get(pk=run.tenant_id)
        slot = SchemaSlot.objects.get(claimed_by_run=run_id)
        assert Hostname.objects.filter(tenant=tenant, state="live").count() == 1
        assert Run.objects.filter(tenant=tenant).count() == 1
        assert set(Step.objects.filter(run=run).values_list("state", flat=True)) == {"done"}
        seqs = list(run.events.order_by("seq").values_list("seq", flat=True))
    assert (run.state, tenant.lifecycle, slot.state) == ("done", "active", "claimed")
    assert tenant.schema_name == slot.schema_name
    assert seqs == list(range(1, len(seqs) + 1))
    release = _fingerprint_of(outcome.undisturbed)
    assert release == fingerprint(slot.schema_name) == tenant.schema_fingerprint
    with tenant_scope(tenant.pk, slot.schema_name):
        from portal.accounts.models import StaffUser
        from portal.settings.models import CompanyProfile

        identity = TenantIdentity.objects.get()
        assert (identity.tenant_id, identity.created_by_run) == (tenant.pk, run_id)
        owner = StaffUser.objects.get()
        assert (owner.email, owner.role, owner.status) == (tenant.owner_email, "owner", "invited")
        welcome = OutboxEvent.objects.get(type="staff.welcome")
        assert welcome.key == f"welcome:{run_id}"
        assert CompanyProfile.objects.get().name == tenant.display_name
        assert NumberSequence.objects.count() == 3
        assert IdempotencyKey.objects.filter(scope="baseline").count() == 1


def _fingerprint_of(run_id: UUID) -> str:
    with control_scope():
        slot = SchemaSlot.objects.get(claimed_by_run=run_id)
    return fingerprint(slot.schema_name)


def test_no_crash_left_a_schema_that_the_ledger_does_not_know(outcome: Outcome) -> None:
    """ISO-31, ISO-32: and none that nobody uses."""
    found = outcome.product.rows("SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_[0-9a-f]{12,32}$'")
    with control_scope():
        claimed = set(SchemaSlot.objects.filter(state="claimed").values_list("schema_name", flat=True))
        assert SchemaSlot.objects.exclude(state="claimed").count() == 0
    assert {name for (name,) in found} == claimed


def test_without_a_broker_the_clock_does_the_work_itself(outcome: Outcome, tmp_path: Path) -> None:
    """Acceptance check 15, R-TASK-1: messages are hints."""
    product = outcome.product
    product.kill("provisioner")
    product.kill("clock")
    begin_company("no-broker")
    product.start("clock", REDIS_URL="redis://127.0.0.1:1")
    product.wait_for("the company to open", lambda: _unfinished(product) == 0, seconds=90)
    with control_scope():
        assert Tenant.objects.get(slug="no-broker").lifecycle == "active"
