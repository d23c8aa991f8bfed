"""Fixtures of our own billing: the double, a committed database, Acme at the end of its trial."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from django.core import mail
from django.utils import timezone

from billing.services.checkout import start_checkout
from billing.tasks import step
from infra.stripe_double.store import PLATFORM
from portal.accounts.client import Client as Browser
from portal.accounts.models import StaffUser
from portal.accounts.staff_sessions import cookie_name, start_session
from tenants.audit import Actor
from tenants.models import ControlOutbox, Hold, Plan, PlatformAuditEvent, Subscription, Tenant
from tenants.outbox import deliver_control_outbox
from tenants.scope import control_scope
from tests.cast import ACME, NOW, STAFF_PASSWORD
from tests.conftest import HostClient
from tests.portal.payments.bench import Bench
from tests.portal.payments.fixtures import bench, live, stripe_double

__all__ = ["bench", "live", "stripe_double"]

PAYS, FAILS_LATER, REFUSED = "4242424242424242", "4000000000000341", "4000000000000002"
OLIVE = Actor("staff", None, "Olive Owens")


class Biller:
    """Acme as our customer: its row, its office, Stripe's pages, and the days that pass."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.now = timezone.now()
        with control_scope():
            Tenant.objects.filter(pk=ACME).update(first_activated_at=self.now)

    def row(self) -> Subscription:
        """Return Acme's subscription as it is now."""
        with control_scope():
            return Subscription.objects.select_related("tenant__plan").get(tenant_id=ACME)

    def plan(self) -> Plan:
        """Return the one plan."""
        with control_scope():
            return Plan.objects.get(code="porch")

    def checkout(self) -> str:
        """Open Stripe's page as the office does and return its address."""
        urls = {"success_url": "http://back.localhost/", "cancel_url": "http://cancel.localhost/"}
        return start_checkout(tenant_id=ACME, plan_id=self.plan().pk, **urls, by=OLIVE, now=self.now)

    def press(self, url: str, **form: str) -> int:
        """Press a button on one of Stripe's pages; return the status without following."""
        body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
        target = f"{self.bench.base}{urlsplit(url).path}"
        try:
            with urlopen(Request(target, body)) as answer:
                return int(answer.status)
        except OSError as error:
            # It leads back to a host that only exists in a browser's test.
            return int(getattr(error, "code", 303))

    def subscribe(self, card: str = PAYS) -> None:
        """Go through Stripe's page, and take in what it tells us."""
        self.press(self.checkout(), card=card)
        self.hear()

    def hear(self) -> None:
        """Take in every event of the platform's account that was not taken in yet, and work it off."""
        self.tell(self.events())
        self.bench.work_off()

    def events(self) -> list[dict[str, Any]]:
        """Return the events of the platform's own account, oldest first."""
        from infra.stripe_double.errors import public

        double = self.bench.running.double
        with double.lock:
            return [dict(public(event)) for event in double.store.books[PLATFORM].kind("event").values()]

    def tell(self, events: list[dict[str, Any]]) -> None:
        """Deliver events to the platform's endpoint."""
        import json

        from tests.portal.payments.fixtures import PLATFORM_SECRET
        from tests.webhooks.test_receiving import deliver

        for event in events:
            assert deliver(json.dumps(event).encode(), secret=PLATFORM_SECRET, scope="platform") == 200

    def pass_days(self, days: float, *, stripe: bool = True) -> None:
        """Let days pass, here and at Stripe, in which the clock's sweep comes round."""
        self.now += timedelta(days=days)
        if stripe:
            self.bench.control("advance", seconds=int(days * 86_400))
        step(ACME, self.now)

    def holds(self) -> list[str]:
        """Return the kinds of Acme's open holds."""
        with control_scope():
            return list(Hold.objects.filter(tenant_id=ACME, released_at=None).values_list("kind", flat=True))

    def audit(self, action: str) -> list[PlatformAuditEvent]:
        """Return the audit rows of an action."""
        with control_scope():
            return list(PlatformAuditEvent.objects.filter(action=action, tenant_id=ACME).order_by("at", "id"))

    def mails(self) -> list[str]:
        """Deliver what waits and return the subjects of the letters to the owner."""
        mail.outbox.clear()
        with control_scope():
            # The days that pass are this test's own: by the outbox's clock the letters are not due yet.
            ControlOutbox.objects.filter(state="waiting").update(next_at=NOW)
            deliver_control_outbox()
        assert {to for message in mail.outbox for to in message.to} <= {"olive@acme.example"}
        return [message.subject for message in mail.outbox]

    def office(self, role: str = "owner") -> HostClient:
        """Return the browser of Olive, or of a colleague with another role."""
        with self.bench.acme():
            if role == "owner":
                staff = StaffUser.objects.get(email="olive@acme.example")
            else:
                about = {"name": role, "role": role, "status": "active", "created_at": NOW}
                staff, _ = StaffUser.objects.get_or_create(email=f"{role}@acme.example", defaults=about)
            client = Browser("203.0.113.9", "test", "")
            _session, token = start_session(staff=staff, tenant_id=ACME, client=client, now=timezone.now())
        browser = HostClient("acme.portal.localhost")
        browser.cookies[cookie_name()] = token
        return browser

    def console(self) -> HostClient:
        """Return Oscar's browser."""
        client = HostClient("console.localhost")
        client.post("/sign-in/", {"email": "oscar@porchlight.example", "password": STAFF_PASSWORD})
        return client


def day(moment: datetime | None) -> str:
    """Return a moment's day."""
    assert moment
    return moment.date().isoformat()


@pytest.fixture
def biller(bench: Bench) -> Biller:
    """Acme on the first day of its trial."""
    return Biller(bench)
