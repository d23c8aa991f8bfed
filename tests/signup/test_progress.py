"""The progress page: what happened, honestly, and a way on (S-06, check 19)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from provisioning.events import BUILDING, add_event
from provisioning.ledger import MAX_STARTS, begin_step, fail_step, finish_step, open_run
from provisioning.models import Run
from provisioning.steps.order import STEPS
from tenants.models import PlatformAuditEvent, Tenant
from tenants.scope import control_scope
from tests.conftest import HostClient
from tests.signup.visitor import APEX, Visitor, newest_code

pytestmark = pytest.mark.usefixtures("db")


class Watcher(Visitor):
    """Somebody whose company is being set up."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()
        self.path = self.verify(newest_code())["Location"]

    @property
    def run(self) -> Run:
        """The run as it stands."""
        with control_scope():
            return Run.objects.get(tenant__signup=self.signup)

    def look(self, **headers: str) -> Any:
        """Open the page."""
        return self.browser.get(self.path, headers=headers)


@pytest.fixture
def watcher() -> Watcher:
    """Somebody on the progress page."""
    return Watcher()


def _park(run: Run, step: str = "reserve") -> None:
    now = timezone.now()
    for start in range(1, MAX_STARTS + 1):
        open_run(run.pk, now)
        assert begin_step(run.pk, step, now) == start
        fail_step(run.pk, step, start=start, error="no luck", now=now)
        now += timedelta(minutes=5)


def test_every_step_has_its_name_and_finished_ones_their_time(watcher: Watcher) -> None:
    start = timezone.now()
    opened = open_run(watcher.run.pk, start)
    assert opened
    begin_step(watcher.run.pk, "reserve", start)
    finish = start + timedelta(seconds=0.25)
    finish_step(watcher.run.pk, "reserve", start=1, result={}, last=False, now=finish)
    begin_step(watcher.run.pk, "build_slot", finish)
    items = watcher.look().context["steps"]
    assert [item.state for item in items] == ["done", "now"] + [""] * (len(STEPS) - 2)
    assert items[0].end == "0.25 s"
    assert len({item.text for item in items}) == len(STEPS)


def test_who_has_to_wait_for_a_schema_is_told_so_and_how_long_it_took_others(watcher: Watcher) -> None:
    """Acceptance check 10: the slow path is announced, with an estimate from recent ones."""
    now = timezone.now()
    open_run(watcher.run.pk, now)
    begin_step(watcher.run.pk, "build_slot", now)
    assert watcher.look().context["steps"][1].note == ""
    with control_scope():
        add_event(watcher.run.pk, BUILDING, step="build_slot", args={"seconds": 3.2}, now=now)
    assert "building yours now. The last ones took about 3 s." in watcher.look().content.decode()


def test_the_page_looks_again_with_and_without_script(watcher: Watcher) -> None:
    page = watcher.look().content.decode()
    assert f'data-poll-url="{watcher.path}"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    fragment = watcher.look(**{"x-fragment": "1"}).content.decode()
    assert "<html" not in fragment
    assert f'data-poll-url="{watcher.path}"' in fragment


@pytest.mark.parametrize("path", ["", "retry/", "office/"])
def test_strangers_find_nothing(watcher: Watcher, path: str) -> None:
    other = Watcher.__new__(Watcher)
    Visitor.__init__(other, email="sam@spark.example")
    other.begin("sam-spark")
    other.path = other.verify(newest_code())["Location"]
    method = "post" if path else "get"
    for browser in (HostClient(APEX), other.browser):
        assert getattr(browser, method)(f"{watcher.path}{path}").status_code == 404
    assert watcher.browser.get(f"/progress/{uuid4()}/").status_code == 404


def test_a_parked_run_is_told_honestly_and_started_again_by_its_owner(watcher: Watcher) -> None:
    """Transitions 3 and 4: the same run is resumed, never a new one."""
    _park(watcher.run)
    page = watcher.look()
    assert page.context["state"] == "failed"
    assert "Nothing is lost" in page.content.decode()
    assert page.context["steps"][0].note == f"Tried {MAX_STARTS} times"
    assert "data-poll-url" not in page.content.decode()
    with control_scope():
        assert Tenant.objects.get(slug="bright-electric").lifecycle == "failed"
        assert PlatformAuditEvent.objects.filter(action="run.parked", result="failed").count() == 1
    for _ in range(2):
        assert watcher.browser.post(f"{watcher.path}retry/").status_code == 303
    assert watcher.run.state == "queued"
    with control_scope():
        assert Tenant.objects.get(slug="bright-electric").lifecycle == "provisioning"
        assert PlatformAuditEvent.objects.filter(action="run.retried").count() == 1
    assert watcher.look().context["state"] == "running"


def test_the_office_opens_only_when_the_run_is_done(watcher: Watcher) -> None:
    answer = watcher.browser.post(f"{watcher.path}office/")
    assert (answer.status_code, answer["Location"]) == (303, watcher.path)


def test_a_finished_run_offers_the_office_on_its_own_host(watcher: Watcher) -> None:
    with control_scope():
        Run.objects.update(state="done", finished_at=timezone.now())
    page = watcher.look()
    assert page.context["state"] == "ready"
    assert f'action="{watcher.path}office/"' in page.content.decode()
    assert "form-action 'self' http://bright-electric.portal.localhost" in page["Content-Security-Policy"]
