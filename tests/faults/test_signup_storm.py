"""Many verified sign-ups at one moment and few ready schemas: each gets its own company, and nothing is left over.

PORCHLIGHT_SIGNUPS=40 asks for as many as acceptance check 10 does; every run of the suite does it with a few.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from infra.ids import uuid7
from provisioning.models import Run, RunEvent, SchemaSlot, Step
from provisioning.pool import clean_pool, fill_pool
from provisioning.schemas import current_release, fingerprint
from provisioning.templates import find_blueprint
from signup.models import SignUp
from signup.services.address import choose_address
from signup.services.start import Details, start_signup
from tenants.models import SettingValue, Tenant
from tenants.schema.models import TenantIdentity
from tenants.scope import control_scope, tenant_scope
from tests.faults.companies import inside
from tests.faults.front_door import knock, press
from tests.live import LiveProduct, live_product

COUNT = int(os.environ.get("PORCHLIGHT_SIGNUPS", "8"))
READY = COUNT * 3 // 4
PATIENCE = 30 + 3 * COUNT
TWICE = 20


@dataclass
class Storm:
    """What was asked for and what the front door said meanwhile, host by host."""

    product: LiveProduct
    hosts: list[str]
    presses: list[tuple[int, str]]
    seen: dict[str, list[int]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def storm(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    """Press the buttons of all mails at once while somebody knocks at every door."""
    folder = tmp_path_factory.mktemp("storm")
    with (
        django_db_blocker.unblock(),
        live_product(folder, name="test_storm") as product,
        inside(product),
    ):
        with control_scope():
            # Nothing is refilled meanwhile, so that it is known how many find a schema ready.
            SettingValue.objects.filter(key="platform.pool_target").update(value=0)
        product.wait_for("the stock", lambda: _fill() >= READY, seconds=60)
        hosts = [f"storm-{number}" for number in range(COUNT)]
        links = [_link(product, host) for host in hosts]
        links += [links[0]] * (TWICE - 1)
        yield _let_loose(product, hosts, links)


def _fill() -> int:
    fill_pool(now=timezone.now(), count=READY, target=READY)
    with control_scope():
        return SchemaSlot.objects.filter(state="ready", release=current_release()).count()


def _link(product: LiveProduct, slug: str) -> str:
    """Sign up as far as the mail; returns the path of its link."""
    details = Details(
        email=f"owner@{slug}.example",
        owner_name="Renee Rivera",
        company=slug.title(),
        trade="electrical",
        country="US",
        time_zone="America/Chicago",
        locale="en",
    )
    now = timezone.now()
    with control_scope(), transaction.atomic():
        signup = start_signup(form_key=uuid7(), details=details, ip=None, now=now)
        choose_address(signup_id=signup.pk, slug=slug, now=now)
    mail = product.wait_for_mail(to=details.email, seconds=90)
    found = re.search(r"(/signup/verify/[^/\s]+/)", mail.text)
    assert found
    return found[1]


def _let_loose(product: LiveProduct, hosts: list[str], links: list[str]) -> Storm:
    over = Event()
    seen: dict[str, list[int]] = {host: [] for host in hosts}

    def watch() -> None:
        while not over.is_set():
            for host in hosts:
                seen[host].append(knock(product, host))
            over.wait(0.05)

    with ThreadPoolExecutor(len(links) + 1) as threads:
        watching = threads.submit(watch)
        pressing = [threads.submit(press, product, link) for link in links]
        presses = [each.result() for each in pressing]
        try:
            product.wait_for("every company to open", lambda: _open(product) == COUNT, seconds=PATIENCE)
            time.sleep(0.5)
        finally:
            over.set()
        watching.result()
    # On a slow machine the watch may be over before its next round.
    for host in hosts:
        seen[host].append(knock(product, host))
    return Storm(product, hosts, presses, seen)


def _open(product: LiveProduct) -> int:
    ((count,),) = product.rows("SELECT count(*) FROM provisioning_run WHERE state = 'done'")
    return int(count)


def test_every_button_led_to_the_progress_of_its_own_company(storm: Storm) -> None:
    """Acceptance check 11, F-81: the first link was pressed twenty times at once and led to one place."""
    assert {status for status, _ in storm.presses} == {303}
    places = [place for _, place in storm.presses]
    assert len(set(places)) == COUNT
    assert set(places[COUNT:]) == {places[0]}


def test_each_sign_up_became_one_company_with_a_schema_of_its_own(storm: Storm) -> None:
    """Acceptance check 10, F-83: distinct, none shared, each equal to the release's template."""
    blueprint = find_blueprint(current_release())
    assert blueprint
    with control_scope():
        tenants = list(Tenant.objects.filter(slug__in=storm.hosts))
        assert SignUp.objects.filter(tenant__in=tenants).count() == COUNT
        assert Run.objects.filter(tenant__in=tenants).count() == COUNT
        slots = dict(SchemaSlot.objects.filter(state="claimed").values_list("schema_name", "claimed_by_run"))
        runs = dict(Run.objects.filter(tenant__in=tenants).values_list("pk", "tenant_id"))
    assert len({tenant.schema_name for tenant in tenants}) == len(tenants) == COUNT
    for tenant in tenants:
        assert tenant.lifecycle == "active"
        assert tenant.schema_name
        assert runs[slots[tenant.schema_name]] == tenant.pk
        assert fingerprint(tenant.schema_name) == blueprint.fingerprint == tenant.schema_fingerprint
        with tenant_scope(tenant.pk, tenant.schema_name):
            assert TenantIdentity.objects.get().tenant_id == tenant.pk


def test_no_door_was_ever_half_open(storm: Storm) -> None:
    """R-PROV-2: each host is unknown until it serves, and serves ever after."""
    for host, answers in storm.seen.items():
        first = answers.index(next(answer for answer in answers if answer != 404))
        assert set(answers[:first]) <= {404}, host
        assert set(answers[first:]) <= {200, 302, 303}, host


def test_who_found_no_schema_ready_was_told_so(storm: Storm) -> None:
    """Acceptance check 10: so many at once, the others on the slow path, which is announced with an estimate."""
    with control_scope():
        results = Step.objects.filter(name="build_slot").values_list("run_id", "result")
        slow = {run_id for run_id, result in results if not result["from_pool"]}
        told = RunEvent.objects.filter(kind="slot.building")
        assert set(told.values_list("run_id", flat=True)) == slow
        assert all(event.args["seconds"] > 0 for event in told)
    assert len(slow) == COUNT - READY


def test_every_owner_was_welcomed_once(storm: Storm) -> None:
    """Acceptance check 11: one mail besides the one with the link, also for whom twenty presses came."""
    for host in storm.hosts:
        address = f"owner@{host}.example"
        storm.product.wait_for_mail(to=address, count=2)
        assert len(storm.product.mails(to=address)) == 2


def test_nothing_is_left_dirty_after_the_janitor(storm: Storm) -> None:
    """ISO-31, ISO-32: every schema that is there belongs to somebody."""
    while clean_pool(now=timezone.now()):
        continue
    found = {name for (name,) in storm.product.rows("SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_[0-9a-f]+$'")}
    with control_scope():
        assert not SchemaSlot.objects.exclude(state="claimed").exists()
        owned = set(Tenant.objects.exclude(schema_name=None).values_list("schema_name", flat=True))
    assert found == owned


def test_the_terminal_creates_a_company_and_waits_for_it(storm: Storm, tmp_path: Path) -> None:
    """platform.md 3.11, against the running product."""
    import json
    import subprocess
    import sys

    words = ["tenants", "create", "by-hand", "--email", "o@by-hand.example", "--name", "By Hand", "--wait", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "console.cli", *words],
        env=storm.product.environ,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    (row,) = json.loads(done.stdout)
    assert (row["company"], row["state"]) == ("by-hand", "done")
    assert knock(storm.product, "by-hand") in {200, 302, 303}
