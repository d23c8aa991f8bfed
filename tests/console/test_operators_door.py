"""The console's door: own host, own identity, short sessions, limits, roles."""

from datetime import timedelta

import pytest
from django.utils import timezone

from console.models import Operator, OperatorSession
from console.roles import MAY
from tenants.models import Hold, PlatformAuditEvent, Tenant
from tests.cast import ACME, STAFF_PASSWORD
from tests.conftest import HostClient

HOST = "console.localhost"
OSCAR = {"email": "oscar@porchlight.example", "password": STAFF_PASSWORD}


@pytest.fixture
def console(db: None) -> HostClient:
    """Oscar's signed-in browser."""
    client = HostClient(HOST)
    assert client.post("/sign-in/", OSCAR).status_code == 302
    return client


@pytest.mark.parametrize("path", ["/", "/tenants/", f"/tenants/{ACME}/", f"/tenants/{ACME}/hold/"])
def test_nobody_gets_in_without_signing_in(db: None, path: str) -> None:
    """CON-01, AUN-06."""
    answer = HostClient(HOST).get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=")


def test_the_consoles_paths_do_not_exist_on_a_tenants_host_or_the_apex(db: None) -> None:
    """CON-01."""
    for host in ("acme.portal.localhost", "portal.localhost"):
        assert HostClient(host).get(f"/tenants/{ACME}/").status_code == 404


def test_a_wrong_password_says_nothing_about_the_address_and_leaves_a_denied_row(console: HostClient) -> None:
    """AUN-17: known and unknown addresses get the same words."""
    client = HostClient(HOST)
    pages = [
        client.post("/sign-in/", {"email": email, "password": "wrong"})
        for email in ("oscar@porchlight.example", "nobody@porchlight.example")
    ]
    assert [page.status_code for page in pages] == [422, 422]
    words = "E-mail and password do not belong together."
    assert all(words in page.content.decode() for page in pages)


def test_guessing_is_slowed_down_and_then_forgotten(db: None, control: object) -> None:
    """AUN-19: five wrong passwords, then the right one must wait too."""
    client = HostClient(HOST)
    for _ in range(5):
        client.post("/sign-in/", {**OSCAR, "password": "wrong"})
    assert client.post("/sign-in/", OSCAR).status_code == 429


def test_a_session_ends_when_idle_and_when_the_operator_is_switched_off(console: HostClient, control: object) -> None:
    """Decided 24: 15 minutes idle; AUZ-13: rights are read on every request."""
    assert console.get("/").status_code == 200
    OperatorSession.objects.update(last_seen_at=timezone.now() - timedelta(minutes=16))
    assert console.get("/").status_code == 302
    OperatorSession.objects.update(last_seen_at=timezone.now())
    assert console.get("/").status_code == 200
    Operator.objects.update(is_active=False)
    assert console.get("/").status_code == 302


def test_next_leads_nowhere_else(db: None) -> None:
    """WEB-06."""
    for evil in ("//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)"):
        answer = HostClient(HOST).post(f"/sign-in/?next={evil}", OSCAR)
        assert answer["Location"] == "/", evil


def test_suspending_closes_the_host_at_once_and_releasing_opens_it(console: HostClient, control: object) -> None:
    """Acceptance 22, 23; platform.md 3.3 rows 6 and 7."""
    visitor = HostClient("acme.portal.localhost")
    assert visitor.get("/office/sign-in").status_code == 200
    refused = console.post(f"/tenants/{ACME}/hold/", {"kind": "abuse", "reason": "spam", "typed_slug": "globex"})
    assert refused.status_code == 422
    for kind in ("abuse", "billing"):
        done = console.post(f"/tenants/{ACME}/hold/", {"kind": kind, "reason": "spam", "typed_slug": "acme"})
        assert done.status_code == 302
    closed = visitor.get("/office/sign-in")
    assert closed.status_code == 503
    assert closed["Retry-After"]
    assert "Acme Heating &amp; Air" in closed.content.decode()
    for hold in Hold.objects.filter(tenant_id=ACME):
        assert visitor.get("/office/sign-in").status_code == 503
        console.post(f"/holds/{hold.pk}/release/", {"reason": "settled"})
    assert visitor.get("/office/sign-in").status_code == 200
    actions = PlatformAuditEvent.objects.filter(tenant_id=ACME).values_list("action", flat=True)
    assert sorted(actions) == ["tenant.hold", "tenant.hold", "tenant.release", "tenant.release"]


def test_a_hold_is_refused_with_its_reason_and_leaves_a_denied_row(console: HostClient, control: object) -> None:
    """Acceptance 21: a pair that is not in the table is refused and recorded."""
    Tenant.objects.filter(pk=ACME).update(lifecycle="closing")
    answer = console.post(f"/tenants/{ACME}/hold/", {"kind": "abuse", "reason": "spam", "typed_slug": "acme"})
    assert answer.status_code == 422
    assert "Only an active company can be held" in answer.content.decode()
    assert PlatformAuditEvent.objects.get(action="tenant.hold").result == "denied"


@pytest.mark.parametrize("role", [role for role in Operator.Role if "tenants.hold" not in MAY[role]])
def test_a_role_without_the_action_finds_no_such_page(console: HostClient, control: object, role: str) -> None:
    """AUZ-02: forbidden looks like missing."""
    Operator.objects.update(role=role)
    assert console.get(f"/tenants/{ACME}/hold/").status_code == 404
    assert console.get(f"/tenants/{ACME}/").status_code == 200


def test_search_finds_a_company_by_slug_url_owner_and_id(console: HostClient) -> None:
    """Acceptance 35, the part that exists."""
    for query in ("acme", "https://acme.portal.localhost", "Acme Heating", "olive@acme.example", str(ACME)):
        page = console.get("/tenants/", {"q": query}).content.decode()
        assert "Acme Heating &amp; Air" in page, query
        assert "Globex Plumbing" not in page, query


def test_names_are_shown_as_data(console: HostClient, control: object) -> None:
    """CON-12: a company's name cannot run in the console."""
    Tenant.objects.filter(pk=ACME).update(display_name="<script>alert(1)</script>")
    for path in ("/tenants/", f"/tenants/{ACME}/"):
        page = console.get(path).content.decode()
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page
