"""Runs go on whatever happens around them: Redis empty or gone, Stripe gone, two workers, server ends connections."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from dramatiq.brokers.redis import RedisBroker
from redis import Redis

from portal.accounts.models import StaffUser
from provisioning import compensation
from provisioning.models import Run, SchemaSlot, Step
from provisioning.pool import clean_pool
from provisioning.services import cancel_run
from tenants.audit import SYSTEM
from tenants.models import ControlOutbox, Hostname, PlatformAuditEvent, Tenant
from tenants.schema.models import OutboxEvent, TenantIdentity
from tenants.scope import control_scope, tenant_scope
from tests.faults.companies import begin_company, inside, tell
from tests.live import LiveProduct, live_product


@pytest.fixture(scope="module")
def product(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveProduct]:
    """The whole product, for faults that it survives."""
    folder = tmp_path_factory.mktemp("restless")
    with (
        django_db_blocker.unblock(),
        live_product(folder, name="test_restless") as running,
        inside(running),
    ):
        yield running


@pytest.fixture
def broker(product: LiveProduct) -> Iterator[RedisBroker]:
    """The way for our own messages to the product's workers."""
    made = RedisBroker(url=product.valkey.url())
    yield made
    made.close()


def _begin(broker: RedisBroker, *slugs: str) -> list[UUID]:
    runs = [begin_company(slug) for slug in slugs]
    for run_id in runs:
        tell(broker, run_id)
    return runs


def _wait_for(product: LiveProduct, runs: list[UUID], state: str = "done", *, seconds: float = 90) -> None:
    def arrived() -> bool:
        with control_scope():
            return Run.objects.filter(pk__in=runs, state=state).count() == len(runs)

    product.wait_for(f"{len(runs)} runs to be {state}", arrived, seconds=seconds)


def _assert_one_company_each(runs: list[UUID]) -> None:
    for run_id in runs:
        with control_scope():
            tenant = Tenant.objects.get(runs=run_id)
            slot = SchemaSlot.objects.get(claimed_by_run=run_id)
            assert set(Step.objects.filter(run_id=run_id).values_list("state", flat=True)) == {"done"}
            seqs = list(Run.objects.get(pk=run_id).events.order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1))
        assert (tenant.lifecycle, tenant.schema_name) == ("active", slot.schema_name)
        with tenant_scope(tenant.pk, slot.schema_name):
            assert TenantIdentity.objects.get().created_by_run == run_id
            assert StaffUser.objects.count() == 1
            assert OutboxEvent.objects.filter(type="staff.welcome").count() == 1


def test_redis_is_emptied_again_and_again(product: LiveProduct, broker: RedisBroker) -> None:
    """R-TASK-1: messages are hints; whatever is lost with them is found by the clock."""
    runs = _begin(broker, *(f"flushed-{number}" for number in range(4)))
    with Redis.from_url(product.valkey.url()) as redis:
        for _ in range(40):
            redis.flushall()
            time.sleep(0.02)
    _wait_for(product, runs)
    _assert_one_company_each(runs)


def test_two_workers_get_one_run_many_times(product: LiveProduct, broker: RedisBroker) -> None:
    """R-TASK-2: each step is begun once, whoever hears of the run and how often."""
    product.processes["second"] = product.processes.pop("provisioner")
    product.start("provisioner")
    runs = [begin_company(f"twice-{number}") for number in range(3)]
    for _ in range(6):
        for run_id in runs:
            tell(broker, run_id)
    _wait_for(product, runs)
    _assert_one_company_each(runs)
    with control_scope():
        assert set(Step.objects.filter(run_id__in=runs).values_list("starts", flat=True)) == {1}


def test_stripe_and_then_redis_are_gone(product: LiveProduct, broker: RedisBroker) -> None:
    """Acceptance check 15: neither keeps a company from opening."""
    product.kill("stripe")
    runs = _begin(broker, "without-stripe")
    _wait_for(product, runs)
    product.kill("provisioner")
    product.kill("clock")
    product.start("clock", REDIS_URL="redis://127.0.0.1:1")
    runs.append(begin_company("without-redis"))
    _wait_for(product, runs)
    _assert_one_company_each(runs)
    product.kill("clock")
    product.start("provisioner")
    product.start("clock")


def test_the_server_ends_every_connection_again_and_again(product: LiveProduct, broker: RedisBroker) -> None:
    """F-80: a fence that is lost is noticed, a step that was cut off is begun again."""
    runs = _begin(broker, *(f"cut-off-{number}" for number in range(3)))
    for _ in range(12):
        time.sleep(0.06)
        product.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            product.name,
        )
        if product.rows("SELECT 1 FROM provisioning_step WHERE starts > 2"):
            break  # on a slow machine each blow costs a start, and the fifth would rightly park the run
    connection.close()
    _wait_for(product, runs)
    _assert_one_company_each(runs)


def test_a_step_that_kills_its_worker_every_time_is_parked_and_keeps_nobody_else(
    product: LiveProduct, broker: RedisBroker
) -> None:
    """Acceptance check 16: five starts, one call for operators; other runs are not delayed."""
    product.kill("clock")
    product.kill("provisioner")
    url = product.valkey.url(3)
    dying = RedisBroker(url=url)
    poisoned = begin_company("poisoned")
    for _start in range(5):
        with Redis.from_url(url) as redis:
            redis.flushdb()
        tell(dying, poisoned)
        product.start("provisioner", CRASH_AT="seed.before_act", REDIS_URL=url)
        assert product.wait_for_exit("provisioner", seconds=60) != 0
    dying.close()
    with control_scope():
        assert Step.objects.get(run_id=poisoned, name="seed").starts == 5
    product.start("provisioner")
    product.start("clock")
    others = _begin(broker, "beside-poisoned")
    _wait_for(product, others)
    _wait_for(product, [poisoned], "parked")
    with control_scope():
        assert Step.objects.get(run_id=poisoned, name="seed").starts == 5
        assert ControlOutbox.objects.filter(topic="run.parked", payload__run=str(poisoned)).count() == 1
        assert PlatformAuditEvent.objects.filter(action="run.parked", target=f"run {poisoned}").count() == 1


@pytest.mark.parametrize("point", [compensation.BEFORE, compensation.WITHIN, compensation.RECORDED])
def test_a_worker_is_killed_while_it_takes_back_what_a_canceled_run_made(
    product: LiveProduct, broker: RedisBroker, point: str, tmp_path: Path
) -> None:
    """Reliability 3, `in compensation`: all of it is taken back, the address is free, the schema is dropped."""
    product.kill("clock")
    product.kill("provisioner")
    slug = f"canceled-{point.partition('.')[2].replace('_', '-')}"
    run_id = begin_company(slug)
    url = product.valkey.url(4)
    for crash_at in ("enable.before_act", point):
        with Redis.from_url(url) as redis:
            redis.flushdb()
        dying = RedisBroker(url=url)
        tell(dying, run_id)
        dying.close()
        product.start("provisioner", CRASH_AT=crash_at, REDIS_URL=url)
        assert product.wait_for_exit("provisioner", seconds=60) != 0
        if crash_at != point:
            with control_scope(), transaction.atomic():
                schema = SchemaSlot.objects.get(claimed_by_run=run_id).schema_name
                cancel_run(run_id=run_id, by=SYSTEM, now=timezone.now())
    product.start("provisioner")
    product.start("clock")
    _wait_for(product, [run_id], "compensated")
    with control_scope():
        tenant = Tenant.objects.get(runs=run_id)
        assert (tenant.lifecycle, tenant.schema_name) == ("deleted", None)
        assert not Hostname.objects.filter(name=slug).exists()
        assert not SchemaSlot.objects.filter(claimed_by_run=run_id).exists()

    def dropped() -> bool:
        clean_pool(now=timezone.now())
        with control_scope():
            return SchemaSlot.objects.get(schema_name=schema).state == "dropped"

    product.wait_for("the janitor", dropped)
    assert product.rows("SELECT 1 FROM pg_namespace WHERE nspname = %s", schema) == []
