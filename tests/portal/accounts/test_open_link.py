"""A mailed link: looking changes nothing, pressing the button signs in once (Decided 11, AUN-10…16)."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from structlog.stdlib import ProcessorFormatter

from portal.access.models import PortalAccess
from portal.access.services import revoke, suspend
from portal.accounts.models import LoginToken, PortalSession, PortalUser
from portal.accounts.sessions import cookie_name
from tenants.audit import SYSTEM
from tests.portal.accounts.signing_in import deliver, link_in, mint, sign_in

ALICE = "alice@example.com"


def open_sessions() -> int:
    return PortalSession.objects.filter(ended_at=None).count()


def test_looking_at_a_link_signs_nobody_in(acme: Any, acme_client: Any) -> None:
    """AUN-10: GET, HEAD and prefetch consume nothing and set no session; a GET is noted as first seen."""
    minted = mint(ALICE)
    address = f"/l/{minted.token}"
    acme_client.head(address)
    acme_client.get(address, headers={"Sec-Purpose": "prefetch"})
    minted.row.refresh_from_db()
    assert minted.row.first_seen_at is None

    page = acme_client.get(address)
    assert page.status_code == 200
    assert b"Continue as a" in page.content
    assert "alice@example.com" not in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    assert cookie_name() not in acme_client.cookies
    minted.row.refresh_from_db()
    assert minted.row.first_seen_at is not None
    assert minted.row.consumed_at is None
    assert open_sessions() == 0


def test_pages_of_a_link_tell_its_address_to_nobody(acme: Any, acme_client: Any) -> None:
    """AUN-16: at most the host's name leaves. The page with the form needs that much: without it browsers send
    "Origin: null", and such a form is refused (WEB-01)."""
    minted = mint(ALICE)
    assert acme_client.get(f"/l/{minted.token}")["Referrer-Policy"] == "strict-origin"
    assert acme_client.post(f"/l/{minted.token}", headers={"Origin": "null"}).status_code == 403
    assert acme_client.get("/l/unknown")["Referrer-Policy"] == "no-referrer"
    answer = acme_client.post(f"/l/{minted.token}", headers={"Origin": "http://acme.portal.localhost"})
    assert answer["Referrer-Policy"] == "no-referrer"
    assert minted.token not in answer["Location"]


def test_no_log_line_holds_the_token_of_a_link(acme: Any, acme_client: Any, globex_client: Any) -> None:
    """AUN-16: a link opened at the wrong company or refused as foreign is logged with its path, without its token."""
    minted = mint(ALICE)
    formats = [h.formatter for h in logging.getLogger().handlers if isinstance(h.formatter, ProcessorFormatter)]
    assert formats
    records: list[logging.LogRecord] = []
    collector = logging.Handler()
    collector.emit = records.append  # type: ignore[method-assign]
    logging.getLogger("django.request").addHandler(collector)
    try:
        globex_client.get(f"/l/{minted.token}")
    finally:
        logging.getLogger("django.request").removeHandler(collector)
    [record] = records
    assert minted.token in record.getMessage()
    line = formats[0].format(record)
    assert "/l/***" in line
    assert minted.token not in line


def test_the_button_signs_in_and_leads_to_the_deep_link(acme: Any, acme_client: Any) -> None:
    """AUTH-03: the invoice a customer wanted opens after signing in; the address is clean (AUN-16)."""
    minted = mint(ALICE, deep_link="/invoices/")
    answer = acme_client.post(f"/l/{minted.token}")
    assert (answer.status_code, answer["Location"]) == (303, "/invoices/")
    assert acme_client.get("/invoices/").status_code == 200
    assert answer.cookies[cookie_name()]["httponly"]
    assert answer.cookies[cookie_name()]["samesite"] == "Lax"
    assert not answer.cookies[cookie_name()]["domain"]
    assert PortalUser.objects.get(email=ALICE).sign_in_count == 1


def test_a_first_sign_in_activates_the_invited_access(acme: Any, acme_client: Any) -> None:
    """datamodel.md 4.4: invited, first confirmed sign-in, active."""
    PortalAccess.objects.filter(portal_user__email=ALICE).update(status="invited", activated_at=None)
    acme_client.post(f"/l/{mint(ALICE).token}")
    access = PortalAccess.objects.get(portal_user__email=ALICE)
    assert access.status == "active"
    assert access.activated_at is not None


def test_a_used_link_just_continues_on_the_device_it_signed_in(acme: Any, acme_client: Any) -> None:
    """AUN-13, first half."""
    minted = mint(ALICE, deep_link="/invoices/")
    acme_client.post(f"/l/{minted.token}")
    again = acme_client.get(f"/l/{minted.token}")
    assert (again.status_code, again["Location"]) == (303, "/invoices/")
    assert open_sessions() == 1


def test_a_used_link_offers_a_fresh_one_on_another_device(acme: Any, acme_client: Any, browse: Any) -> None:
    """AUN-13, second half, and AUN-12: a replayed POST mints no second session."""
    minted = mint(ALICE)
    acme_client.post(f"/l/{minted.token}")
    other = browse("acme.portal.localhost")
    assert b"used on another device" in other.get(f"/l/{minted.token}").content
    assert b"used on another device" in other.post(f"/l/{minted.token}").content
    assert cookie_name() not in other.cookies
    assert open_sessions() == 1

    assert b"sent you a fresh link" in other.post(f"/l/{minted.token}/fresh").content
    [message] = deliver(acme)
    assert message.to == [ALICE]
    assert other.post(link_in(message)).status_code == 303
    assert open_sessions() == 2


def test_an_expired_link_sends_a_new_one_to_the_stored_address_only(acme: Any, acme_client: Any) -> None:
    """AUTH-08, AUN-14: nothing in the request can redirect the mail."""
    minted = mint(ALICE, now=timezone.now() - timedelta(days=8))
    page = acme_client.get(f"/l/{minted.token}?email=mallory@example.com")
    assert b"sent you a fresh link" in page.content
    [message] = deliver(acme)
    assert message.to == [ALICE]
    assert "mallory" not in message.body
    assert acme_client.post(link_in(message)).status_code == 303


def test_beyond_three_an_hour_nothing_is_sent_and_nobody_is_told(acme: Any, acme_client: Any) -> None:
    """AUN-14: the answer of a suppressed request is the same to the byte, form secrets aside."""
    minted = mint(ALICE, now=timezone.now() - timedelta(days=8))
    pages = [acme_client.get(f"/l/{minted.token}") for _ in range(5)]
    assert len(deliver(acme)) == 3
    assert len({len(page.content) for page in pages}) == 1
    assert {page.status_code for page in pages} == {200}


def test_an_expired_link_seen_by_a_scanner_sends_nothing(acme: Any, acme_client: Any) -> None:
    """AUN-10."""
    minted = mint(ALICE, now=timezone.now() - timedelta(days=8))
    acme_client.head(f"/l/{minted.token}")
    acme_client.get(f"/l/{minted.token}", headers={"Sec-Purpose": "prefetch"})
    assert deliver(acme) == []


@pytest.mark.parametrize("end", [revoke, suspend])
def test_a_link_of_an_ended_access_signs_nobody_in(end: Any, acme: Any, acme_client: Any) -> None:
    """AUN-09, AUN-15: neither the link nor a fresh one in its place."""
    minted = mint(ALICE)
    expired = mint(ALICE, now=timezone.now() - timedelta(days=8))
    sign_in(acme_client, ALICE)
    end(access=PortalAccess.objects.get(portal_user__email=ALICE), by=SYSTEM, now=timezone.now())

    assert acme_client.get("/invoices/").status_code == 302
    for token in (minted.token, expired.token):
        assert b"This access has ended" in acme_client.get(f"/l/{token}").content
        assert b"This access has ended" in acme_client.post(f"/l/{token}").content
        acme_client.post(f"/l/{token}/fresh")
    assert deliver(acme) == []
    assert open_sessions() == 0


def test_a_link_is_refused_after_the_address_changed(acme: Any, acme_client: Any) -> None:
    """AUN-15."""
    minted = mint(ALICE)
    PortalUser.objects.filter(email=ALICE).update(email="new@example.com")
    assert b"This access has ended" in acme_client.post(f"/l/{minted.token}").content


def test_tokens_of_other_purposes_open_no_session(acme: Any, acme_client: Any) -> None:
    """AUN-03."""
    for purpose in LoginToken.Purpose:
        if purpose in (LoginToken.Purpose.INVITE, LoginToken.Purpose.EMAIL_LINK):
            continue
        minted = mint(ALICE, purpose=purpose)
        assert acme_client.post(f"/l/{minted.token}").status_code == 404
    assert open_sessions() == 0


def test_a_link_of_one_company_is_unknown_at_another(acme: Any, globex_client: Any) -> None:
    """AUN-02."""
    minted = mint(ALICE)
    assert globex_client.get(f"/l/{minted.token}").status_code == 404
    assert globex_client.post(f"/l/{minted.token}").status_code == 404


def test_signing_in_as_somebody_else_is_visible_and_ends_the_first_session(acme: Any, acme_client: Any) -> None:
    """AUN-05, AUN-30: every sign-in has a new id, also over a cookie that was planted (AUN-32)."""
    sign_in(acme_client, "bob@example.com")
    planted = acme_client.cookies[cookie_name()].value
    minted = mint(ALICE)
    assert b"signed in as b" in acme_client.get(f"/l/{minted.token}").content
    acme_client.post(f"/l/{minted.token}")
    assert acme_client.cookies[cookie_name()].value != planted
    assert open_sessions() == 1
    assert b"Alice" in acme_client.get("/").content


def test_the_page_submits_itself_only_in_the_browser_that_asked(acme: Any, acme_client: Any, browse: Any) -> None:
    """AUN-11: a scanner that runs scripts finds nothing that signs in."""
    acme_client.post("/sign-in", {"email": ALICE})
    [message] = deliver(acme)
    assert b"requestSubmit" in acme_client.get(link_in(message)).content
    assert b"requestSubmit" not in browse("acme.portal.localhost").get(link_in(message)).content


def test_only_hashes_of_links_and_codes_are_stored(acme: Any) -> None:
    """AUN-04."""
    minted = mint(ALICE)
    row = LoginToken.objects.filter(pk=minted.row.pk).values().get()
    stored = b"".join(bytes(value) for value in row.values() if isinstance(value, bytes | memoryview))
    assert minted.token.encode() not in stored
    assert minted.code.encode() not in stored
    assert minted.token not in str(row)
