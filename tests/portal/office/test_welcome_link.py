"""The mailed way in: minted when the mail leaves, harmless to look at, good for one session (S9, AUN-10, AUN-12)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from portal.accounts.models import LoginToken, PortalUser, StaffSession, StaffUser
from portal.accounts.staff_sessions import cookie_name, hash_token
from portal.accounts.staff_tokens import mint_staff_token
from portal.messaging.models import OutboundMessage
from tenants.context import prove_tenant
from tenants.outbox import deliver_outbox, emit
from tenants.schema.models import OutboxEvent
from tenants.scope import tenant_scope
from tests.cast import ACME, NOW
from tests.conftest import HostClient
from tests.portal.office.conftest import SCHEMAS

GOOD = {"new_password": "four sturdy garden chairs"}
Purpose = LoginToken.Purpose


def make_paul() -> StaffUser:
    return StaffUser.objects.create(
        email="paul@acme.example", name="Paul", role="owner", status="invited", created_at=NOW
    )


def deliver() -> None:
    deliver_outbox(context=prove_tenant(ACME, timezone.now()))


def last_mail() -> EmailMultiAlternatives:
    sent = mail.outbox[-1]
    assert isinstance(sent, EmailMultiAlternatives)
    return sent


def test_a_new_owner_gets_a_mail_and_is_in_with_a_password(acme_client: HostClient, acme: Any) -> None:
    """S9: from the outbox to the office; the secret is in the mail and nowhere else (AUN-04, AUN-16)."""
    paul = make_paul()
    emit("staff.welcome", key="welcome:1", payload={"staff_user": str(paul.pk)}, now=timezone.now())
    deliver()
    sent = last_mail()
    assert sent.to == ["paul@acme.example"]
    assert "Acme Heating & Air" in sent.subject
    links = re.findall(r"http://acme\.portal\.localhost(/office/welcome/[\w-]+/)", str(sent.body))
    assert len(set(links)) == 1
    token = links[0].split("/")[3]
    assert token not in OutboundMessage.objects.get().text
    assert token not in str(OutboxEvent.objects.get().payload)

    page = acme_client.get(links[0])
    assert page.status_code == 200
    assert page["Referrer-Policy"] == "strict-origin"
    assert page["Cache-Control"] == "no-store"
    answer = acme_client.post(links[0], GOOD)
    assert (answer.status_code, answer["Location"]) == (303, "/office/")
    assert acme_client.get("/office/").status_code == 200
    paul.refresh_from_db()
    assert paul.status == "active"
    session = StaffSession.objects.get()
    assert LoginToken.objects.get().session_id == session.pk

    fresh = HostClient("acme.portal.localhost")
    signed_in = fresh.post("/office/sign-in", {"email": "Paul@ACME.example ", "password": GOOD["new_password"]})
    assert signed_in.status_code == 303


def test_the_welcome_mail_is_sent_once_however_often_it_is_delivered(acme: Any) -> None:
    """reliability: at least once, by key."""
    paul = make_paul()
    emit("staff.welcome", key="welcome:1", payload={"staff_user": str(paul.pk)}, now=timezone.now())
    emit("staff.welcome", key="welcome:1", payload={"staff_user": str(paul.pk)}, now=timezone.now())
    deliver()
    OutboxEvent.objects.update(state="waiting", next_at=timezone.now())
    deliver()
    assert len(mail.outbox) == 1


def test_whoever_has_a_password_already_is_mailed_the_address_only(acme: Any) -> None:
    """A late welcome mail does not carry a second way to set a password."""
    olive = StaffUser.objects.get(email="olive@acme.example")
    emit("staff.welcome", key="welcome:2", payload={"staff_user": str(olive.pk)}, now=timezone.now())
    deliver()
    assert "http://acme.portal.localhost/office/" in str(last_mail().body)
    assert "/office/welcome/" not in str(last_mail().body)
    assert LoginToken.objects.count() == 0


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_at_the_link_changes_nothing(acme_client: HostClient, acme: Any, method: str) -> None:
    """AUN-10: scanners and previews follow links."""
    token = mint_staff_token(staff=make_paul(), purpose=Purpose.STAFF_FIRST_SIGN_IN, now=timezone.now())
    for _ in range(3):
        answer = getattr(acme_client, method)(f"/office/welcome/{token}/", headers={"sec-purpose": "prefetch"})
        assert cookie_name() not in answer.cookies
    assert LoginToken.objects.get().consumed_at is None
    assert StaffSession.objects.count() == 0
    assert acme_client.post(f"/office/welcome/{token}/", GOOD).status_code == 303


def test_a_link_works_once(acme_client: HostClient, acme: Any) -> None:
    """AUN-12: the second POST is refused, also with another password."""
    token = mint_staff_token(staff=make_paul(), purpose=Purpose.HANDOFF, now=timezone.now())
    assert acme_client.post(f"/office/welcome/{token}/", GOOD).status_code == 303
    stranger = HostClient("acme.portal.localhost")
    again = stranger.post(f"/office/welcome/{token}/", {"new_password": "somebody elses password"})
    assert again.status_code == 410
    assert cookie_name() not in again.cookies
    assert StaffSession.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"consumed_at": timezone.now()},
        {"revoked_at": timezone.now()},
        {"email": "old@acme.example"},
    ],
)
def test_a_link_that_is_over_opens_nothing(acme_client: HostClient, acme: Any, change: dict[str, Any]) -> None:
    """AUN-15: expired, used, revoked, address changed."""
    token = mint_staff_token(staff=make_paul(), purpose=Purpose.STAFF_FIRST_SIGN_IN, now=timezone.now())
    LoginToken.objects.update(**change)
    assert acme_client.get(f"/office/welcome/{token}/").status_code == 410
    assert acme_client.post(f"/office/welcome/{token}/", GOOD).status_code == 410
    assert StaffSession.objects.count() == 0


def test_a_link_of_a_disabled_person_opens_nothing(acme_client: HostClient, acme: Any) -> None:
    """AUN-15."""
    paul = make_paul()
    token = mint_staff_token(staff=paul, purpose=Purpose.STAFF_FIRST_SIGN_IN, now=timezone.now())
    StaffUser.objects.filter(pk=paul.pk).update(status="disabled")
    assert acme_client.post(f"/office/welcome/{token}/", GOOD).status_code == 410


def test_a_link_of_acme_opens_nothing_at_globex(globex_client: HostClient, acme: Any) -> None:
    """AUN-02."""
    token = mint_staff_token(staff=make_paul(), purpose=Purpose.STAFF_FIRST_SIGN_IN, now=timezone.now())
    assert globex_client.get(f"/office/welcome/{token}/").status_code == 410
    assert globex_client.post(f"/office/welcome/{token}/", GOOD).status_code == 410


@pytest.mark.parametrize("purpose", ["invite", "email_link", "password_reset"])
def test_a_customers_token_is_no_way_into_the_office(acme_client: HostClient, acme: Any, purpose: str) -> None:
    """AUN-03, AUN-06: purpose and person are part of the token."""
    LoginToken.objects.create(
        portal_user=PortalUser.objects.get(email="alice@example.com"),
        purpose=purpose,
        email="alice@example.com",
        token_hash=hash_token("alices-token"),
        created_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=7),
    )
    assert acme_client.post("/office/welcome/alices-token/", GOOD).status_code == 410


@pytest.mark.parametrize("bad", ["short", "elevenchars", "password123456", "", "x" * 129])
def test_a_weak_password_is_refused_and_the_link_stays_good(acme_client: HostClient, acme: Any, bad: str) -> None:
    """AUN-25: at least 12, at most 128, not common."""
    token = mint_staff_token(staff=make_paul(), purpose=Purpose.STAFF_FIRST_SIGN_IN, now=timezone.now())
    answer = acme_client.post(f"/office/welcome/{token}/", {"new_password": bad})
    assert answer.status_code == 422
    assert "field__error" in answer.content.decode()
    assert acme_client.post(f"/office/welcome/{token}/", GOOD).status_code == 303


def test_a_new_password_ends_every_other_session_and_link(
    olive: HostClient, acme_client: HostClient, acme: Any
) -> None:
    """AUN-09."""
    person = StaffUser.objects.get(email="olive@acme.example")
    first = mint_staff_token(staff=person, purpose=Purpose.PASSWORD_RESET, now=timezone.now())
    second = mint_staff_token(staff=person, purpose=Purpose.PASSWORD_RESET, now=timezone.now())
    assert acme_client.post(f"/office/welcome/{first}/", GOOD).status_code == 303
    assert olive.get("/office/").status_code == 302
    assert acme_client.get("/office/").status_code == 200
    assert acme_client.post(f"/office/welcome/{second}/", GOOD).status_code == 410


def test_a_reset_is_mailed_to_the_stored_address_only(acme_client: HostClient, acme: Any) -> None:
    """AUN-17, AUN-21: one answer for all; strangers, customers and other companies' staff get no mail."""
    pages = []
    for email in ("olive@acme.example", "nobody@acme.example", "alice@example.com", "gina@globex.example"):
        answer = acme_client.post("/office/forgot", {"email": email})
        assert answer.status_code == 200
        pages.append(answer.content.decode().replace(email, ""))
    assert len({len(page) for page in pages}) == 1
    deliver()
    assert [message.to for message in mail.outbox] == [["olive@acme.example"]]
    assert "/office/welcome/" in str(last_mail().body)


def test_resets_are_limited_without_saying_so(acme_client: HostClient, acme: Any) -> None:
    """AUN-14: three an hour for one address; the answer stays the same."""
    for _ in range(5):
        assert acme_client.post("/office/forgot", {"email": "olive@acme.example"}).status_code == 200
    deliver()
    assert len(mail.outbox) == 3


def test_the_mail_leads_to_the_permanent_host_whatever_the_request_said(acme_client: HostClient, acme: Any) -> None:
    """AUN-27."""
    acme_client.post("/office/forgot", {"email": "olive@acme.example"}, headers={"x-forwarded-host": "evil.example"})
    deliver()
    assert "evil.example" not in str(last_mail().body)
    assert "http://acme.portal.localhost/office/welcome/" in str(last_mail().body)


def test_globex_sees_none_of_this(acme_client: HostClient, acme: Any) -> None:
    """ISO: the mail of one company leaves no row in another."""
    acme_client.post("/office/forgot", {"email": "olive@acme.example"})
    with tenant_scope(*SCHEMAS["globex"]):
        assert OutboxEvent.objects.count() == 0
