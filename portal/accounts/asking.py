"""The browser that asked for a sign-in link, and the event that makes somebody look for whom to send it to."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from infra.ids import uuid7
from portal.accounts.client import Client
from portal.accounts.models import LoginToken
from tenants.audit import count_events, wait_for_turn
from tenants.outbox import emit
from tenants.schema.models import AuditEvent

LINK_REQUESTED = "sign_in.link_requested"
LINK_ENDED = "sign_in.link_ended"
CODE_TRIED = "sign_in.code_tried"

ADDRESS_LIMIT, ADDRESS_WINDOW = 3, timedelta(hours=1)
IP_LIMIT, IP_WINDOW = 30, timedelta(minutes=15)
COMPANY_LIMIT, COMPANY_WINDOW = 300, timedelta(minutes=15)
RESEND_IP_LIMIT, RESEND_IP_WINDOW = 10, timedelta(hours=1)
CODE_LIMIT, CODE_WINDOW = 30, timedelta(minutes=15)
ASK_HOURS = 24


class TooManyRequests(Exception):
    """This client has asked too often; `wait_seconds` says when the next try is allowed (AUN-19)."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"Wait {wait_seconds} seconds.")
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True)
class Asking:
    """What the browser remembers of its question: a secret of its own and the address that was typed."""

    browser: str
    email: str

    @property
    def browser_hash(self) -> bytes:
        """Return what is stored with the link, so that its code works in this browser only (Decided 26)."""
        return hashlib.sha256(self.browser.encode()).digest()


def cookie_name() -> str:
    """Return the name of the cookie that marks the browser which asked."""
    return "__Host-asking" if settings.SESSION_COOKIE_SECURE else "asking"


def asking_of(request: HttpRequest) -> Asking | None:
    """Return what this browser asked; a cookie of another host or an old one counts for nothing."""
    try:
        value = signing.loads(
            request.COOKIES.get(cookie_name(), ""), salt=_salt(request), max_age=timedelta(hours=ASK_HOURS)
        )
        return Asking(value["b"], value["e"])
    except (signing.BadSignature, KeyError, TypeError):
        return None


def remember_asking(request: HttpRequest, response: HttpResponse, asking: Asking) -> None:
    """Give the browser its mark."""
    response.set_cookie(
        cookie_name(),
        signing.dumps({"b": asking.browser, "e": asking.email}, salt=_salt(request)),
        max_age=ASK_HOURS * 3600,
        path="/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget_asking(response: HttpResponse) -> None:
    """Take the mark back after signing in."""
    response.delete_cookie(cookie_name(), path="/", samesite="Lax")


def new_asking(request: HttpRequest, email: str) -> Asking:
    """Return the mark for a new question; a browser keeps its secret while it asks again."""
    known = asking_of(request)
    return Asking(known.browser if known else secrets.token_urlsafe(16), email)


def request_link(*, email: str, asking: Asking, next_page: str, language: str, client: Client, now: datetime) -> None:
    """Note the wish for a link; raises TooManyRequests by client.

    Does the same for every address, known or not: who gets a mail is decided later, by the event's handler
    (AUN-17, AUN-18). Beyond three an hour for one address, or a flood of wishes at one company,
    nothing more is sent, and nobody is told.
    """
    if count_events(LINK_REQUESTED, since=now - IP_WINDOW, ip=client.ip) >= IP_LIMIT:
        raise TooManyRequests(int(IP_WINDOW.total_seconds()))
    wait_for_turn(f"portal-address:{email}")
    within = count_events(LINK_REQUESTED, since=now - ADDRESS_WINDOW, object_id=_address_id(email)) < ADDRESS_LIMIT
    within = within and count_events(LINK_REQUESTED, since=now - COMPANY_WINDOW) < COMPANY_LIMIT
    _note(LINK_REQUESTED, subject=_address_id(email), client=client, now=now)
    emit(
        LINK_REQUESTED,
        key=f"link:{uuid7()}",
        payload={
            "email": email,
            "browser": asking.browser_hash.hex(),
            "next": next_page,
            "language": language,
            "send": within,
        },
        now=now,
    )


def request_fresh_link(*, row: LoginToken, language: str, client: Client, now: datetime) -> None:
    """Ask for a link in place of one that has ended, to the address it was mailed to (AUTH-08, AUN-14)."""
    wait_for_turn(f"portal-address:{row.email}")
    by_address = count_events(LINK_ENDED, since=now - ADDRESS_WINDOW, object_id=_address_id(row.email))
    by_ip = count_events(LINK_ENDED, since=now - RESEND_IP_WINDOW, ip=client.ip)
    if by_address >= ADDRESS_LIMIT or by_ip >= RESEND_IP_LIMIT:
        return
    _note(LINK_ENDED, subject=_address_id(row.email), client=client, now=now)
    emit(LINK_ENDED, key=f"fresh:{uuid7()}", payload={"token_id": str(row.pk), "language": language}, now=now)


def count_code_try(*, client: Client, now: datetime) -> None:
    """Count one typed code of this client; raises TooManyRequests."""
    if count_events(CODE_TRIED, since=now - CODE_WINDOW, ip=client.ip) >= CODE_LIMIT:
        raise TooManyRequests(int(CODE_WINDOW.total_seconds()))
    _note(CODE_TRIED, subject=None, client=client, now=now)


def _salt(request: HttpRequest) -> str:
    # Part of the salt is the host: a sibling cannot plant a mark it got elsewhere (AUN-01).
    return f"portal.asking:{request.get_host()}"


def _address_id(email: str) -> UUID:
    """Return the id under which wishes for an address are counted, known or not."""
    return uuid5(NAMESPACE_URL, f"portal-address:{email}")


def _note(action: str, *, subject: UUID | None, client: Client, now: datetime) -> None:
    AuditEvent.objects.create(
        at=now,
        actor_kind="visitor",
        action=action,
        object_kind="portal_address" if subject else "",
        object_id=subject,
        ip=client.ip,
        request_id=client.request_id,
    )
