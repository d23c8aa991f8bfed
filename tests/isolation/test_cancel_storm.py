"""Statements cancelled and connections cut under load: no answer ever shows the other company (ISO-01, ISO-02).

Eight seconds by default; PORCHLIGHT_STORM_SECONDS=60 makes it the campaign of platform.md, acceptance check 6.
"""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone

from portal.accounts.client import Client as BrowserFacts
from portal.accounts.models import PortalUser, StaffUser
from portal.accounts.sessions import cookie_name as portal_cookie
from portal.accounts.sessions import start_session as start_portal_session
from portal.accounts.staff_sessions import cookie_name as staff_cookie
from portal.accounts.staff_sessions import start_session as start_staff_session
from portal.invoices.models import Invoice
from tenants.context import serving
from tests.cast import ACME, GLOBEX
from tests.faults.companies import inside
from tests.live import LiveProduct, live_product

SECONDS = float(os.environ.get("PORCHLIGHT_STORM_SECONDS", "8"))
CLIENTS_PER_COMPANY = 2
# Strikes come in gusts, so that pages get through on a slow machine too and have something to show.
GUST, LULL = 0.9, 0.3
MARKS = {
    "acme": ("Acme Heating", "Alice", "Bob Baker", "Olive", "acme.example"),
    "globex": ("Globex", "Charlie", "Gina", "globex.example"),
}
PEOPLE = {
    "acme": (ACME, "alice@example.com", "olive@acme.example"),
    "globex": (GLOBEX, "charlie@example.com", "gina@globex.example"),
}


@dataclass
class Storm:
    """What is asked on each host, and what came of it."""

    product: LiveProduct
    visits: dict[str, list[tuple[str, str]]]
    statuses: Counter[int] = field(default_factory=Counter)
    foreign: list[tuple[str, str, str]] = field(default_factory=list)
    own: Counter[str] = field(default_factory=Counter)
    broken: list[BaseException] = field(default_factory=list)
    hits: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def browse(self, company: str, seed: int) -> None:
        """Ask for one page after the other until the storm is over."""
        choose = random.Random(seed)
        others = [mark for name, marks in MARKS.items() if name != company for mark in marks]
        host = f"{self.product.host(company)}:{self.product.port}"
        connection = http.client.HTTPConnection("127.0.0.1", self.product.port, timeout=30)
        try:
            while not self.stop.is_set():
                path, cookie = choose.choice(self.visits[company])
                try:
                    connection.request("GET", path, headers={"Host": host, "Cookie": cookie})
                    answer = connection.getresponse()
                    text = answer.read().decode("utf-8", "replace")
                except (OSError, http.client.HTTPException):
                    # The server may close a connection; a wrong answer it may not give.
                    connection.close()
                    self.statuses[0] += 1
                    continue
                self.statuses[answer.status] += 1
                self.foreign += [(company, path, mark) for mark in others if mark in text]
                self.own[company] += any(mark in text for mark in MARKS[company]) and answer.status == 200
        except BaseException as error:
            self.broken.append(error)
            raise
        finally:
            connection.close()

    def strike(self, deed: str, pause: float) -> None:
        """Hit one random connection of the application after the other."""
        statement = f"""
            SELECT count(*) FILTER (WHERE {deed}(pid)) FROM (
                SELECT pid FROM pg_stat_activity
                 WHERE datname = %s AND usename = 'porchlight_app' AND ({self._target(deed)})
                 ORDER BY random() LIMIT 1) AS victim"""
        try:
            with self.product.database() as superuser:
                gust_ends = time.monotonic() + GUST
                while not self.stop.is_set():
                    if time.monotonic() > gust_ends:
                        self.stop.wait(LULL)
                        gust_ends = time.monotonic() + GUST
                    row = superuser.execute(statement, [self.product.name]).fetchone()  # type: ignore[arg-type]
                    assert row
                    self.hits += row[0]
                    time.sleep(pause)
        except BaseException as error:
            self.broken.append(error)
            raise

    @staticmethod
    def _target(deed: str) -> str:
        return "state <> 'idle'" if deed == "pg_cancel_backend" else "true"

    def rage(self, deed: str, *, seconds: float, pause: float) -> None:
        """Let visitors and strikes meet for some seconds."""
        threads = [
            threading.Thread(target=self.browse, args=(company, number))
            for company in self.visits
            for number in range(CLIENTS_PER_COMPANY)
        ]
        threads.append(threading.Thread(target=self.strike, args=(deed, pause)))
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.stop.set()
        for thread in threads:
            thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in threads)
        assert self.broken == []


@pytest.fixture(scope="module")
def product(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveProduct]:
    """The web alone, with both companies."""
    folder = tmp_path_factory.mktemp("storm")
    with django_db_blocker.unblock(), live_product(folder, name="test_storm", programs=("web",)) as product:
        yield product


@pytest.fixture
def storm(product: LiveProduct) -> Storm:
    """Sign a customer and somebody of the office in at each company and list their pages."""
    with inside(product):
        return Storm(product, {company: _visits(company) for company in PEOPLE})


def _visits(company: str) -> list[tuple[str, str]]:
    tenant, customer, staff = PEOPLE[company]
    somewhere = BrowserFacts("203.0.113.9", "a storm", "request")
    now = timezone.now()
    with serving(tenant, now):
        user = PortalUser.objects.get(email=customer)
        portal = start_portal_session(user=user, tenant_id=tenant, client=somewhere, now=now)
        worker = StaffUser.objects.get(email=staff)
        _, office = start_staff_session(staff=worker, tenant_id=tenant, client=somewhere, now=now)
        invoices = list(Invoice.objects.filter(bill_to__accesses__portal_user=user).values_list("pk", flat=True))
    customer_pages = ["/", "/invoices/", *(f"/invoices/{pk}" for pk in invoices)]
    office_pages = ["/office/", "/office/customers", "/office/settings/company"]
    return [
        *((path, f"{portal_cookie()}={portal.token}") for path in customer_pages),
        *((path, f"{staff_cookie()}={office}") for path in office_pages),
        ("/sign-in", ""),
    ]


@contextmanager
def calm_afterwards(storm: Storm) -> Iterator[None]:
    """After the storm the same processes serve both companies as before."""
    web = storm.product.processes["web"]
    yield
    assert web.poll() is None
    for company, visits in storm.visits.items():
        for path, cookie in visits * 4:
            # A pool that was cut off finds its dead connections one after the other.
            text = storm.product.wait_for(f"{company}{path}", lambda: _page(storm, company, path, cookie), seconds=60)  # noqa: B023
            assert any(mark in text for mark in MARKS[company])


def _page(storm: Storm, company: str, path: str, cookie: str) -> str:
    """Return a page, or nothing when the answer is an error."""
    connection = http.client.HTTPConnection("127.0.0.1", storm.product.port, timeout=30)
    try:
        host = f"{storm.product.host(company)}:{storm.product.port}"
        connection.request("GET", path, headers={"Host": host, "Cookie": cookie})
        answer = connection.getresponse()
        text = answer.read().decode()
        return text if answer.status == 200 else ""
    finally:
        connection.close()


def test_cancelled_statements_never_show_the_other_company(storm: Storm) -> None:
    """ISO-02: cancels hit the switch of the scope as well as the queries."""
    with calm_afterwards(storm):
        storm.rage("pg_cancel_backend", seconds=SECONDS, pause=0.002)
        assert storm.foreign == []
        assert storm.hits > 0
        assert storm.statuses[500] > 0, f"no cancel was felt: {storm.statuses}"
        assert all(storm.own[company] > 0 for company in PEOPLE), storm.own


def test_cut_connections_never_show_the_other_company(storm: Storm) -> None:
    """ISO-01, ISO-13: a connection that ended is replaced by one that is in nobody's scope."""
    with calm_afterwards(storm):
        storm.rage("pg_terminate_backend", seconds=SECONDS / 2, pause=0.2)
        assert storm.foreign == []
        assert storm.hits > 0
        assert all(storm.own[company] > 0 for company in PEOPLE), storm.own


def test_the_storm_knows_a_foreign_word_when_it_sees_one(storm: Storm) -> None:
    """The oracle can see: each company's marks stand on its own page and not on the other's."""
    text = _page(storm, "acme", *storm.visits["acme"][0])
    assert any(mark in text for mark in MARKS["acme"])
    assert not any(mark in text for mark in MARKS["globex"])


def test_connections_cut_while_they_lay_in_the_pool_are_replaced_unnoticed(storm: Storm) -> None:
    """ISO-01: entering the scope is the health check of a pooled connection; nobody's request pays for a dead one."""
    for company, visits in storm.visits.items():
        assert all(_page(storm, company, path, cookie) for path, cookie in visits)
    with storm.product.database() as superuser:
        cut = superuser.execute(
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE datname = %s AND usename = 'porchlight_app'",
            [storm.product.name],
        ).fetchone()
    assert cut
    assert cut[0] > 0
    for company, visits in storm.visits.items():
        for path, cookie in visits:
            text = _page(storm, company, path, cookie)
            assert any(mark in text for mark in MARKS[company]), f"{company}{path} was not served"
