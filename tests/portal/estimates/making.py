"""Writes, sends and approves estimates as office and customers do."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from portal.accounts.client import Client as BrowserFacts
from portal.accounts.models import PortalUser
from portal.accounts.sessions import cookie_name, start_session
from portal.customers.models import Customer, Location
from portal.estimates.models import Estimate
from portal.estimates.offer import DepositKind, Line, Offer, Option
from portal.estimates.services.deciding import Approval, Decider, approve_estimate
from portal.estimates.services.drafting import Draft, create_estimate, save_draft
from portal.estimates.services.sending import publish_estimate
from tenants.audit import Actor
from tests.cast import ACME
from tests.conftest import HostClient

OLIVE = Actor("staff", None, "Olive Owens")
ALICE = Actor("customer", None, "Alice Archer", "203.0.113.7")
WHO = Decider(ALICE, email="alice@example.com", user_agent="a test")

GOOD = Option(
    "a", "Good", "", False, (Line("a1", "Furnace 80%", "1", 300000, 300000), Line("a2", "Haul away", "1", 0, 0))
)
BETTER = Option(
    "b",
    "Better",
    "Two speeds",
    True,
    (
        Line("b1", "Furnace 80%", "1", 300000, 300000),
        Line("b2", "Haul away", "1", 0, 0),
        Line("b3", "Smart thermostat", "1", 60000, 60000),
        Line("b4", "Duct sealing", "2", 21000, 42000, optional=True),
        Line("b5", "CO alarm", "1", 8500, 8500, optional=True, preselected=True),
    ),
)


def today() -> date:
    """Return the company's day, roughly: a day's difference is no test's matter."""
    return timezone.localdate()


def offer(deposit: DepositKind = "percent", value: int = 3000, tax: int = 0, *options: Option) -> Offer:
    """Return what is offered: two ways to replace a furnace."""
    return Offer("Replace the furnace", "As discussed", tax, deposit, value, options or (GOOD, BETTER))


def draft(customer: str = "C-1001", what: Offer | None = None, *, days: int | None = 30) -> Estimate:
    """Write an estimate."""
    found = Customer.objects.get(number=customer)
    location = Location.objects.filter(customer=found).first()
    last = today() + timedelta(days=days) if days is not None else None
    return create_estimate(
        customer_id=found.pk,
        draft=Draft(what or offer(), location.pk if location else None, last),
        currency="USD",
        by=OLIVE,
        now=timezone.now(),
    )


def send(estimate: Estimate) -> Estimate:
    """Let customers see the newest version."""
    return publish_estimate(estimate_id=estimate.pk, today=today(), by=OLIVE, now=timezone.now())


def sent(customer: str = "C-1001", what: Offer | None = None) -> Estimate:
    """Write an estimate and let the customer see it."""
    return send(draft(customer, what))


def revise(estimate: Estimate, what: Offer | None = None, why: str = "Better is less now") -> Estimate:
    """Write and send the next version."""
    save_draft(
        estimate_id=estimate.pk,
        draft=Draft(what or offer(value=2000), None, today() + timedelta(days=30), why),
        by=OLIVE,
        now=timezone.now(),
    )
    return send(estimate)


def approval(option: str = "b", lines: tuple[str, ...] = ("b5",), total: int = 368500, **more: Any) -> Approval:
    """Return what the page of the approver sends."""
    given = {"version": 1, "name": "Alice Archer", "consents": True, "consent_text": "I approve."} | more
    return Approval(option=option, lines=lines, seen_total_cents=total, **given)


def approve(estimate: Estimate, what: Approval | None = None, who: Decider = WHO) -> Estimate:
    """Approve it: Better with its alarm, 3,685.00, deposit 30 % = 1,105.50."""
    return approve_estimate(
        estimate_id=estimate.pk, approval=what or approval(), who=who, today=today(), now=timezone.now()
    )


def again(estimate_id: UUID) -> Estimate:
    """Return an estimate as it is now."""
    return Estimate.objects.get(pk=estimate_id)


def customer_browser(email: str = "alice@example.com") -> HostClient:
    """Return a browser on Acme's host in which a customer is signed in; call it in Acme's scope."""
    session = start_session(
        user=PortalUser.objects.get(email=email),
        tenant_id=ACME,
        client=BrowserFacts("203.0.113.9", "test", ""),
        now=timezone.now(),
    )
    browser = HostClient("acme.portal.localhost")
    browser.cookies[cookie_name()] = session.token
    return browser
