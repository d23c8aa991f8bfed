"""Acme's records with planted canaries, one id for every parameter of every URL, and five visitors of Globex' host."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from PIL import Image

from infra.ids import uuid7
from portal.access.models import PortalAccess
from portal.accounts.client import Client as BrowserFacts
from portal.accounts.models import LoginToken, PortalUser, StaffUser
from portal.accounts.sessions import cookie_name as portal_cookie
from portal.accounts.sessions import start_session as start_portal_session
from portal.accounts.staff_sessions import cookie_name as staff_cookie
from portal.accounts.staff_sessions import start_session as start_staff_session
from portal.accounts.staff_tokens import mint_staff_token
from portal.accounts.tokens import mint_token
from portal.customers.models import Contact, ContactPoint, Customer, Location
from portal.documents.services import store_logo
from portal.invoices.models import Invoice
from portal.settings.models import CompanyProfile
from tenants.audit import SYSTEM
from tenants.context import TenantFacts, serving
from tenants.scope import tenant_scope
from tests.cast import ACME, GLOBEX, NOW
from tests.conftest import HostClient
from tests.isolation.links import plant_link
from tests.isolation.world_money import make_attempt, make_charge, make_method, make_proposal

SCHEMAS = {ACME: "t_ac3e00000000000000000001", GLOBEX: "t_610be8000000000000000002"}
HOSTS = {ACME: "acme.portal.localhost", GLOBEX: "globex.portal.localhost"}

# Nothing of this may ever be part of an answer on another company's host (T1; ISO-40).
CANARIES = (
    "Acme",
    "Alice",
    "Archer",
    "Bob Baker",
    "Baker",
    "Olive",
    "alice@example.com",
    "bob@example.com",
    "acme.example",
    "zebra",
    "ZEBRA",
    "7,654.32",
    "555-0100",
    "5550100",
    "acct_acme",
    SCHEMAS[ACME],
    str(ACME),
)


@dataclass(frozen=True)
class Route:
    """One URL pattern: where it stands, its name and its parameters."""

    name: str
    template: str
    params: tuple[str, ...]

    def path(self, values: dict[str, str]) -> str:
        """Fill the parameters in."""
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: values[match.group(1)], self.template)


def routes(urlconf: str = "config.urls_tenant") -> list[Route]:
    """Enumerate a URL map to its leaves; raises AssertionError for a pattern that is not a plain path."""
    found = list(_walk(get_resolver(urlconf), "/", ""))
    return sorted(found, key=lambda route: route.template)


def _walk(resolver: URLResolver, before: str, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        text = str(entry.pattern)
        assert "(" not in text, f"{text} is a regular expression; give it a path() so that it can be tried"
        if isinstance(entry, URLResolver):
            yield from _walk(entry, before + text, f"{namespace}{entry.namespace}:" if entry.namespace else namespace)
        else:
            assert isinstance(entry, URLPattern)
            template = before + text
            params = tuple(re.findall(r"<(?:\w+:)?(\w+)>", template))
            yield Route(f"{namespace}{entry.name or text}", template, params)


# What a form sends that would really do something; every other form is sent empty.
POSTED = {
    "office:customer_access": {"do": "suspend"},
    "office:customer_memo": {"memo": "changed"},
    "office:invite": {"email": "intruder@example.com"},
    "office:import_preview": {"step": "run"},
    "office:payment_record": {"amount": "1.00", "how": "cash", "received_on": "2026-11-20", "keep_rest": "on"},
    "office:payment_reverse": {"note": "changed"},
    "office:credit_apply": {"seen_cents": "765432", "invoice": "01930000-0000-7000-8000-000000000001"},
    "office:credit_refund": {"seen_cents": "765432", "form_key": "01930000-0000-7000-8000-000000000002"},
    "office:payment_refund": {"amount_0": "1.00", "effect": "reopen", "reason": "goodwill", "confirm": "1"},
    "office:invoice_mail": {"to": "alice@example.com"},
    "office:payment_proposal": {"do": "decline"},
    "autopay:change": {"do": "revoke"},
    "autopay:terms": {"cap": "500.00", "notice": "5", "agrees": "on"},
    "office:payment_mandate_act": {"do": "end"},
    "methods:replace": {"form_key": "01930000-0000-7000-8000-000000000003", "token": "ctoken_x"},
    "payments:pay": {"amount": "1.00", "confirmation_token": "ctoken_x"},
}


@dataclass
class World:
    """Acme's ids by parameter, the same that name nothing, and how to visit."""

    acme: dict[str, str]
    nothing: dict[str, str]
    sessions: dict[str, dict[str, str]] = field(default_factory=dict)

    def values(self, route: Route, kind: dict[str, str]) -> dict[str, str]:
        """Return the values of a route's parameters; raises AssertionError for a parameter nobody thought of."""
        values = {}
        for param in route.params:
            key = f"{route.name}.{param}" if f"{route.name}.{param}" in kind else param
            assert key in kind, (
                f"{route.name} has the parameter {param!r}, which tests/isolation/world.py does not know: "
                "add Acme's value of it, so that the new address is tried against the other company."
            )
            values[param] = kind[key]
        return values

    def browser(self, host: UUID, *who: str) -> Client:
        """Return a browser on a company's host that carries somebody's cookies."""
        client = HostClient(HOSTS[host], raise_request_exception=True)
        for name in who:
            for cookie, value in self.sessions[name].items():
                client.cookies[cookie] = value
        return client


# -- making it ---------------------------------------------------------------------------------------------


def make_world() -> World:
    """Plant the canaries and make one record of everything an address can name."""
    with serving(ACME, timezone.now()) as context, transaction.atomic():
        acme, sessions = _fill_acme(context.tenant)
    with tenant_scope(GLOBEX, SCHEMAS[GLOBEX]), transaction.atomic():
        sessions |= _sessions("charlie@example.com", "gina@globex.example", GLOBEX)
    sessions["nobody"] = {}
    world = World(acme, {}, sessions)
    world.acme |= _upload(world)
    world.nothing = {param: _never_existed(value) for param, value in world.acme.items()}
    return world


def _never_existed(value: str) -> str:
    """Return something of the same shape that names nothing; words of the product stay what they are."""
    try:
        UUID(value)
    except ValueError:
        return "x" * len(value) if len(value) > 20 else value
    return str(uuid7())


def _fill_acme(tenant: TenantFacts) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    _plant()
    alice = Customer.objects.get(number="C-1001")
    user = PortalUser.objects.get(email="alice@example.com")
    invoice = Invoice.objects.get(external_id="INV-1042")
    attempt = make_attempt(alice, user, invoice)
    logo = store_logo(tenant=tenant, data=_picture(), by=SYSTEM, now=NOW)
    now = timezone.now()
    link = mint_token(
        purpose=LoginToken.Purpose.EMAIL_LINK,
        email=user.email,
        portal_user=user,
        lifetime=timedelta(days=7),
        now=now,
    )
    staff = StaffUser.objects.get(email="olive@acme.example")
    welcome = mint_staff_token(staff=staff, purpose=LoginToken.Purpose.PASSWORD_RESET, now=now)
    ids = {
        "customer_id": str(alice.pk),
        "access_id": str(PortalAccess.objects.get(customer=alice).pk),
        "invoice_id": str(invoice.pk),
        "attempt_id": str(attempt.pk),
        "payment_id": str(attempt.payment.pk),
        "proposal_id": str(make_proposal(attempt.payment).pk),
        "credit_id": str(attempt.payment.credits.get().pk),
        "method_id": str((method := make_method(alice, user)).pk),
        "charge_id": str((charge := make_charge(method, user, invoice)).pk),
        "mandate_id": str(charge.mandate_id),
        "accounts:link.token": link.token,
        "accounts:fresh_link.token": link.token,
        "office:welcome.token": welcome,
        "code": str(invoice.short_code),
        "key": logo.storage_key.rpartition("/")[2],
        # Words of the product, the same for every company.
        "step": "import",
        "kind": "customers",
    }
    sessions = _sessions("alice@example.com", "olive@acme.example", ACME)
    sessions |= {"bob": _sessions("bob@example.com", "olive@acme.example", ACME)["bob"]}
    shared, ring = plant_link(invoice)
    sessions["alice"] |= ring
    return ids | shared, sessions


def _picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (240, 80), "#1e5aa8").save(target, "PNG")
    return target.getvalue()


def _plant() -> None:
    Customer.objects.filter(number="C-1001").update(internal_notes="zebra-note", tags=["zebra-tag"])
    Contact.objects.update(external_id="zebra-contact")
    ContactPoint.objects.update(label="zebra-label")
    Location.objects.update(street="7 zebra street", access_notes="zebra-gate", customer_notes="zebra-dog")
    CompanyProfile.objects.update(licence_no="zebra-licence")
    Invoice.objects.filter(external_id="INV-1042").update(
        number="ZEBRA-1042",
        public_note="zebra-public",
        subtotal_cents=765432,
        tax_cents=0,
        total_cents=765432,
        lines=[
            {
                "description": "zebra-line",
                "quantity": "1",
                "unit_price_cents": 765432,
                "amount_cents": 765432,
                "tax_cents": 0,
                "kind": "service",
            }
        ],
    )


def _sessions(customer: str, staff: str, tenant: UUID) -> dict[str, dict[str, str]]:
    somewhere = BrowserFacts("203.0.113.9", "a test", "request")
    now = timezone.now()
    user = PortalUser.objects.get(email=customer)
    portal = start_portal_session(user=user, tenant_id=tenant, client=somewhere, now=now)
    worker = StaffUser.objects.get(email=staff)
    _, office = start_staff_session(staff=worker, tenant_id=tenant, client=somewhere, now=now)
    return {
        customer.partition("@")[0]: {portal_cookie(): portal.token},
        staff.partition("@")[0]: {staff_cookie(): office},
    }


def _upload(world: World) -> dict[str, str]:
    """Upload a list as Olive does and return the import's id."""
    file = SimpleUploadedFile("zebra.csv", b"name,email\nzebra person,zebra@acme.example\n", "text/csv")
    answer = world.browser(ACME, "olive").post("/office/import", {"kind": "customers", "file": file})
    found = re.search(r"/office/import/([0-9a-f-]{36})", answer.headers.get("Location", ""))
    assert found, (answer.status_code, answer.content[:500])
    return {"job_id": found.group(1)}
