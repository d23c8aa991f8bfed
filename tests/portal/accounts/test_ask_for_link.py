"""The sign-in page: the same answer for everybody, a mail only for those we know (AUTH-02, AUN-17…21, AUN-28)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from portal.access.models import PortalAccess
from portal.access.services import invite_to_portal
from portal.accounts.asking import LINK_REQUESTED
from portal.accounts.models import PortalSession, PortalUser
from portal.accounts.sessions import cookie_name
from portal.customers.models import Contact, ContactPoint, Customer
from tenants.audit import SYSTEM
from tenants.schema.models import AuditEvent, OutboxEvent
from tests.portal.accounts.signing_in import code_in, deliver, link_in, sign_in

ALICE = "alice@example.com"


def test_a_known_and_an_unknown_address_get_the_same_answer(acme: Any, browse: Any) -> None:
    """AUN-17: known, unknown, locked and another company's addresses."""
    Customer.objects.filter(number="C-1002").update(portal_locked=True)
    answers = []
    for email in ("alice@example.com", "nobody@example.com", "bob@example.com", "charlie@example.com"):
        client = browse("acme.portal.localhost")
        answer = client.post("/sign-in", {"email": email})
        page = client.get(answer["Location"]).content.replace(email.encode(), b"")
        answers.append((answer.status_code, answer["Location"], tuple(sorted(answer.cookies)), len(page)))
    assert len(set(answers)) == 1


def test_only_known_people_are_mailed(acme: Any, acme_client: Any) -> None:
    """AUTH-02; a locked customer's person counts as unknown."""
    Customer.objects.filter(number="C-1002").update(portal_locked=True)
    for email in ("nobody@example.com", "bob@example.com", "charlie@example.com"):
        acme_client.post("/sign-in", {"email": email})
    assert deliver(acme) == []
    acme_client.post("/sign-in", {"email": " Alice@Example.COM "})
    [message] = deliver(acme)
    assert message.to == [ALICE]


def test_the_wanted_page_survives_signing_in(acme: Any, acme_client: Any) -> None:
    """HOST-07: anonymous, sign-in page, mail, button, the page that was wanted."""
    away = acme_client.get("/invoices/?show=paid")
    assert (away.status_code, away["Location"]) == (302, "/sign-in?next=%2Finvoices%2F%3Fshow%3Dpaid")
    form = acme_client.get(away["Location"])
    assert b'value="/invoices/?show=paid"' in form.content
    acme_client.post("/sign-in", {"email": ALICE, "next": "/invoices/?show=paid"})
    [message] = deliver(acme)
    assert acme_client.post(link_in(message))["Location"] == "/invoices/?show=paid"


@pytest.mark.parametrize(
    "evil",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "http:///evil.example",
        "%2f%2fevil.example",
        "javascript:alert(1)",
        "/\r\nSet-Cookie:a=b",
        "/\t/evil.example",
        "globex.portal.localhost/",
        "",
        "/" + "a" * 400,
    ],
)
def test_after_signing_in_nobody_is_led_to_another_host(evil: str, acme: Any, acme_client: Any) -> None:
    """WEB-06."""
    acme_client.post("/sign-in", {"email": ALICE, "next": evil})
    [message] = deliver(acme)
    assert acme_client.post(link_in(message))["Location"] == "/"
    assert acme_client.get("/sign-in", {"next": evil})["Location"] == "/"


def test_the_code_of_the_mail_signs_in_the_browser_that_asked(acme: Any, acme_client: Any, browse: Any) -> None:
    """P-02, Decided 26: not another browser, however it came by the code."""
    acme_client.post("/sign-in", {"email": ALICE})
    [message] = deliver(acme)
    stranger = browse("acme.portal.localhost")
    stranger.post("/sign-in", {"email": "nobody@example.com"})
    for page in ("/sign-in/mail", "/sign-in/code"):
        stranger.post(page, {"code": code_in(message), "email": ALICE})
    assert PortalSession.objects.count() == 0
    answer = acme_client.post("/sign-in/mail", {"code": code_in(message)})
    assert answer.status_code == 303
    assert b"Alice" in acme_client.get("/").content


def test_a_code_dies_after_five_wrong_tries_and_its_link_lives(acme: Any, acme_client: Any) -> None:
    """AUN-28."""
    acme_client.post("/sign-in", {"email": ALICE})
    [message] = deliver(acme)
    right = code_in(message)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(5):
        assert acme_client.post("/sign-in/mail", {"code": wrong}).status_code == 422
    assert acme_client.post("/sign-in/mail", {"code": right}).status_code == 422
    assert acme_client.post(link_in(message)).status_code == 303


def test_the_code_of_an_invitation_needs_its_address(acme: Any, acme_client: Any) -> None:
    """Decided 26."""
    customer = Customer.objects.get(number="C-1001")
    invite_to_portal(customer=customer, email="pat@example.com", by=SYSTEM, now=timezone.now())
    [message] = deliver(acme)
    assert acme_client.post("/sign-in/code", {"email": ALICE, "code": code_in(message)}).status_code == 422
    code = f"{code_in(message)[:3]} {code_in(message)[3:]}"
    assert acme_client.post("/sign-in/code", {"email": "Pat@example.com", "code": code}).status_code == 303


def test_a_client_that_asks_too_often_is_told_to_wait(acme: Any, acme_client: Any) -> None:
    """AUN-19, AUN-20: counted by the real address; a header the client writes changes nothing."""
    for number in range(30):
        address = {"email": f"n{number}@example.com"}
        assert acme_client.post("/sign-in", address, headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code == 303
    refused = acme_client.post("/sign-in", {"email": ALICE}, headers={"X-Forwarded-For": "10.9.9.9"})
    assert refused.status_code == 429
    assert refused["Retry-After"] == "900"


def test_one_address_gets_three_mails_an_hour(acme: Any, acme_client: Any) -> None:
    """AUN-19: the fourth is dropped without a word."""
    for _ in range(5):
        assert acme_client.post("/sign-in", {"email": ALICE}).status_code == 303
    assert len(deliver(acme)) == 3


def test_a_flood_of_wishes_at_one_company_sends_nothing_more(acme: Any, acme_client: Any) -> None:
    """AUN-19: from however many addresses it comes; the answer stays the same."""
    now = timezone.now()
    AuditEvent.objects.bulk_create(
        AuditEvent(at=now, actor_kind="visitor", action=LINK_REQUESTED, ip=f"198.51.100.{n % 250}") for n in range(300)
    )
    assert acme_client.post("/sign-in", {"email": ALICE}).status_code == 303
    assert deliver(acme) == []


def test_a_known_contact_without_access_gets_it_with_the_first_sign_in(acme: Any, acme_client: Any) -> None:
    """AUTH-12, datamodel.md 4.4: origin self_match, active only after the mailbox was proven."""
    bob = Customer.objects.get(number="C-1002")
    contact = Contact.objects.create(
        customer=bob, name="Una Baker", created_at=bob.created_at, updated_at=bob.created_at
    )
    ContactPoint.objects.create(contact=contact, kind="email", value="una@example.com", created_at=bob.created_at)
    acme_client.post("/sign-in", {"email": "una@example.com"})
    [message] = deliver(acme)
    access = PortalAccess.objects.get(portal_user__email="una@example.com")
    assert (access.status, access.origin, access.customer_id) == ("invited", "self_match", bob.pk)
    acme_client.post(link_in(message))
    access.refresh_from_db()
    assert access.status == "active"
    assert b"1044" in acme_client.get("/").content


def test_a_revoked_person_does_not_come_back_by_asking(acme: Any, acme_client: Any) -> None:
    """AUN-15: a known contact address is no way around a revocation."""
    PortalAccess.objects.filter(portal_user__email=ALICE).update(status="revoked", revoked_at=timezone.now())
    acme_client.post("/sign-in", {"email": ALICE})
    assert deliver(acme) == []


def test_delivering_the_event_twice_mails_once(acme: Any, acme_client: Any) -> None:
    """R: at least once delivery, one mail (reliability.md 4)."""
    acme_client.post("/sign-in", {"email": ALICE})
    deliver(acme)
    OutboxEvent.objects.update(state="waiting", next_at=timezone.now() - timedelta(minutes=1))
    assert deliver(acme) == []
    assert len(mail.outbox) == 1


def test_signing_out_ends_the_session_and_clears_the_browser(acme: Any, acme_client: Any) -> None:
    """WEB-11."""
    sign_in(acme_client, ALICE)
    token = acme_client.cookies[cookie_name()].value
    answer = acme_client.post("/sign-out")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    acme_client.cookies[cookie_name()] = token
    assert acme_client.get("/").status_code == 302
    assert acme_client.get("/sign-out").status_code == 405


@pytest.mark.parametrize(
    ("idle", "age"), [(timedelta(days=31), timedelta(days=31)), (timedelta(0), timedelta(days=91))]
)
def test_a_session_ends_by_idleness_and_by_age(idle: timedelta, age: timedelta, acme: Any, acme_client: Any) -> None:
    """AUN-08: 30 days idle, 90 days at most."""
    sign_in(acme_client, ALICE)
    now = timezone.now()
    PortalSession.objects.update(
        created_at=now - age, last_seen_at=now - idle, expires_at=now - age + timedelta(days=90)
    )
    assert acme_client.get("/").status_code == 302


def test_a_locked_person_is_out_with_the_next_request(acme: Any, acme_client: Any) -> None:
    """AUN-09, AUZ-13."""
    sign_in(acme_client, ALICE)
    assert acme_client.get("/").status_code == 200
    PortalUser.objects.filter(email=ALICE).update(status="locked")
    assert acme_client.get("/").status_code == 302


def test_the_cookie_of_one_company_is_worth_nothing_at_another(acme: Any, acme_client: Any, globex_client: Any) -> None:
    """AUN-01."""
    sign_in(acme_client, ALICE)
    globex_client.cookies[cookie_name()] = acme_client.cookies[cookie_name()].value
    assert globex_client.get("/").status_code == 302
    assert globex_client.get("/invoices/").status_code == 302
