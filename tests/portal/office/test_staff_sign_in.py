"""Staff sign in, are held to limits, and stay on their own host (F-01, AUN)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from portal.accounts import sessions as portal_sessions
from portal.accounts.client import Client
from portal.accounts.models import PortalUser, StaffSession, StaffUser
from portal.accounts.staff_limits import FAILED, PER_ADDRESS_AND_IP, note_try
from portal.accounts.staff_sessions import ABSOLUTE, IDLE, cookie_name
from tenants.schema.models import AuditEvent
from tenants.scope import tenant_scope
from tests.cast import ACME, NOW, STAFF_PASSWORD
from tests.conftest import HostClient
from tests.portal.office.conftest import SCHEMAS

OLIVE = {"email": "olive@acme.example", "password": STAFF_PASSWORD}


def test_olive_signs_in_and_comes_to_the_page_she_wanted(acme_client: HostClient, acme: Any) -> None:
    """F-01, AUN-07: one host-only cookie."""
    refused = acme_client.get("/office/customers?f=active")
    assert refused.status_code == 302
    assert refused["Location"] == "/office/sign-in?next=%2Foffice%2Fcustomers%3Ff%3Dactive"
    answer = acme_client.post(refused["Location"], OLIVE)
    assert (answer.status_code, answer["Location"]) == (303, "/office/customers?f=active")
    cookie = answer.cookies[cookie_name()]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["domain"] == ""
    assert acme_client.get("/office/customers").status_code == 200
    assert AuditEvent.objects.filter(action="staff.signed_in").count() == 1


def test_the_wanted_page_is_never_elsewhere(acme_client: HostClient) -> None:
    """WEB: no open redirect."""
    for target in ("https://evil.example/", "//evil.example/", "/office/../../x\\@evil", "javascript:alert(1)", "/"):
        acme_client.cookies.clear()
        answer = acme_client.post("/office/sign-in", OLIVE, QUERY_STRING=f"next={target}")
        location = answer["Location"]
        assert location.startswith("/office/")
        assert "evil.example" not in location


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("olive@acme.example", "wrong password"),
        ("nobody@acme.example", STAFF_PASSWORD),
        ("alice@example.com", STAFF_PASSWORD),
        ("gina@globex.example", STAFF_PASSWORD),
    ],
)
def test_every_failure_looks_the_same(acme_client: HostClient, email: str, password: str) -> None:
    """AUN-17: unknown, wrong and foreign people get one answer; no cookie."""
    answer = acme_client.post("/office/sign-in", {"email": email, "password": password})
    assert answer.status_code == 422
    assert cookie_name() not in answer.cookies
    assert "belong together" in answer.content.decode()
    plain = answer.content.decode().replace(email, "")
    other = acme_client.post("/office/sign-in", {"email": "zoe@acme.example", "password": "x"}).content.decode()
    assert len(plain) - len(other.replace("zoe@acme.example", "")) in range(-16, 17)


def test_people_who_left_or_never_chose_a_password_cannot_sign_in(acme_client: HostClient, acme: Any) -> None:
    """AUN-25: an empty password hash fits no password, not even the empty one."""
    StaffUser.objects.create(email="new@acme.example", name="New", role="csr", status="active", created_at=NOW)
    for password in ("", " ", "!"):
        assert (
            acme_client.post("/office/sign-in", {"email": "new@acme.example", "password": password}).status_code == 422
        )
    StaffUser.objects.filter(email="olive@acme.example").update(status="disabled")
    assert acme_client.post("/office/sign-in", OLIVE).status_code == 422


def test_guessing_is_stopped_for_the_guesser_alone(acme_client: HostClient, acme: Any) -> None:
    """AUN-19, AUN-20: per address and client; a made-up X-Forwarded-For changes nothing."""
    for n in range(PER_ADDRESS_AND_IP):
        wrong = {"email": "olive@acme.example", "password": f"guess {n}"}
        forwarded = {"x-forwarded-for": f"198.51.100.{n}"}
        assert acme_client.post("/office/sign-in", wrong, headers=forwarded).status_code == 422
    stopped = acme_client.post("/office/sign-in", OLIVE, headers={"x-forwarded-for": "198.51.100.99"})
    assert stopped.status_code == 429
    assert 0 < int(stopped["Retry-After"]) <= 15 * 60
    elsewhere = acme_client.post("/office/sign-in", OLIVE, REMOTE_ADDR="198.51.100.7")
    assert elsewhere.status_code == 303


def test_a_client_that_tries_many_addresses_is_stopped(acme_client: HostClient, acme: Any) -> None:
    """AUN-19: per client."""
    codes = [
        acme_client.post("/office/sign-in", {"email": f"p{n}@acme.example", "password": "x"}).status_code
        for n in range(31)
    ]
    assert set(codes[:30]) == {422}
    assert codes[30] == 429


@pytest.mark.parametrize(("age", "status"), [(timedelta(minutes=14), 429), (timedelta(minutes=15, seconds=1), 303)])
def test_the_limit_ends_with_its_window(acme_client: HostClient, acme: Any, age: timedelta, status: int) -> None:
    """AUN-19: nobody is locked out for longer than 15 minutes."""
    here = Client("127.0.0.1", "", "")
    for _ in range(PER_ADDRESS_AND_IP):
        note_try(FAILED, email="olive@acme.example", client=here, now=timezone.now() - age)
    assert acme_client.post("/office/sign-in", OLIVE).status_code == status


def test_olives_cookie_is_worth_nothing_on_another_host(olive: HostClient, globex_client: HostClient) -> None:
    """AUN-01: same token, other company."""
    globex_client.cookies[cookie_name()] = olive.cookies[cookie_name()].value
    assert globex_client.get("/office/")["Location"].startswith("/office/sign-in")
    assert olive.get("/office/").status_code == 200


def test_a_session_row_copied_into_another_schema_does_not_open_it(
    olive: HostClient, globex_client: HostClient, acme: Any
) -> None:
    """AUN-01: the row names its company, so even an equal row elsewhere is refused."""
    stolen = StaffSession.objects.get()
    token = olive.cookies[cookie_name()].value
    with tenant_scope(*SCHEMAS["globex"]):
        gina = StaffUser.objects.get(email="gina@globex.example")
        StaffSession.objects.create(
            staff_user=gina,
            token_hash=stolen.token_hash,
            tenant_id=SCHEMAS["acme"][0],
            created_at=stolen.created_at,
            last_seen_at=stolen.last_seen_at,
            expires_at=stolen.expires_at,
        )
    globex_client.cookies[cookie_name()] = token
    assert globex_client.get("/office/").status_code == 302


@pytest.mark.parametrize(
    "change",
    [
        {"last_seen_at": timezone.now() - IDLE - timedelta(seconds=1)},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"ended_at": timezone.now(), "ended_reason": "test"},
    ],
)
def test_a_session_ends_by_idleness_by_age_and_by_hand(olive: HostClient, acme: Any, change: dict[str, Any]) -> None:
    """AUN-08, AUN-09."""
    assert olive.get("/office/").status_code == 200
    StaffSession.objects.update(**change)
    assert olive.get("/office/").status_code == 302


def test_no_session_outlives_a_week(olive: HostClient, acme: Any) -> None:
    """AUN-08: being seen moves the idle end, never the last one."""
    before = StaffSession.objects.get()
    assert before.expires_at - before.created_at == ABSOLUTE
    StaffSession.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    olive.get("/office/")
    after = StaffSession.objects.get()
    assert after.last_seen_at > timezone.now() - timedelta(minutes=1)
    assert after.expires_at == before.expires_at


def test_somebody_disabled_is_out_with_the_next_click(olive: HostClient, acme: Any) -> None:
    """AUN-09, AUZ-13."""
    StaffUser.objects.update(status="disabled")
    assert olive.get("/office/").status_code == 302


def test_signing_out_ends_the_session_itself(olive: HostClient, acme: Any) -> None:
    """AUN-09: the old cookie is worth nothing afterwards."""
    token = olive.cookies[cookie_name()].value
    assert olive.get("/office/sign-out").status_code == 405
    assert olive.post("/office/sign-out").status_code == 302
    olive.cookies[cookie_name()] = token
    assert olive.get("/office/").status_code == 302


def test_signing_in_again_ends_the_old_session(olive: HostClient, acme: Any) -> None:
    """AUN-05, AUN-32: a planted or old session id never survives a sign-in."""
    old = olive.cookies[cookie_name()].value
    olive.post("/office/sign-in", OLIVE)
    assert olive.cookies[cookie_name()].value != old
    assert StaffSession.objects.filter(ended_at__isnull=True).count() == 1


def test_staff_and_customers_do_not_open_each_others_pages(
    olive: HostClient, acme_client: HostClient, acme: Any
) -> None:
    """AUN-06: the same secret under the other cookie's name, in both directions."""
    alice = PortalUser.objects.get(email="alice@example.com")
    started = portal_sessions.start_session(user=alice, tenant_id=ACME, client=Client(None, "", ""), now=timezone.now())
    acme_client.cookies[portal_sessions.cookie_name()] = started.token
    acme_client.cookies[cookie_name()] = started.token
    assert acme_client.get("/office/").status_code == 302
    olive.cookies[portal_sessions.cookie_name()] = olive.cookies[cookie_name()].value
    assert olive.get("/").status_code == 302


def test_the_sign_in_page_greets_who_is_signed_in_with_the_office(olive: HostClient) -> None:
    """F-01: no second sign-in."""
    assert olive.get("/office/sign-in")["Location"] == "/office/"
