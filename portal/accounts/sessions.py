"""Signed-in browsers of customers: 30 days idle, 90 days at most, bound to one company (Decided 24, AUN-01, AUN-08)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from infra.ids import uuid7
from portal.accounts.client import Client
from portal.accounts.models import PortalSession, PortalUser
from tenants.first_read import reads_first, take_first_read

IDLE = timedelta(days=30)
ABSOLUTE = timedelta(days=90)
NOTE_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that has just begun, with the token for the cookie; the token itself is not stored (AUN-04)."""

    id: UUID
    token: str


def cookie_name() -> str:
    """Return the cookie's name; over https it is bound to this very host (AUN-07)."""
    return "__Host-portal" if settings.SESSION_COOKIE_SECURE else "portal"


def hash_token(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def start_session(
    *, user: PortalUser, tenant_id: UUID, client: Client, now: datetime, session_id: UUID | None = None
) -> NewSession:
    """Create a session with a fresh secret (AUN-05, AUN-32)."""
    token = secrets.token_urlsafe(32)
    session = PortalSession.objects.create(
        id=session_id or uuid7(),
        portal_user=user,
        token_hash=hash_token(token),
        tenant_id=tenant_id,
        created_at=now,
        last_seen_at=now,
        proved_at=now,
        expires_at=now + ABSOLUTE,
        ip=client.ip,
        device=client.user_agent,
    )
    return NewSession(session.pk, token)


def find_session(*, token: str, tenant_id: UUID, now: datetime) -> PortalSession | None:
    """Return the living session of a token with its person, and note now and then that it was seen."""
    return note_seen(read_session(token=token, tenant_id=tenant_id, now=now), now)


def read_session(*, token: str, tenant_id: UUID, now: datetime) -> PortalSession | None:
    """Return the living session of a token with its person; one query, and nothing is noted."""
    living = PortalSession.objects.filter(
        token_hash=hash_token(token),
        tenant_id=tenant_id,
        ended_at__isnull=True,
        expires_at__gt=now,
        last_seen_at__gt=now - IDLE,
        portal_user__status=PortalUser.Status.ACTIVE,
    )
    return living.select_related("portal_user").first()


def note_seen(session: PortalSession | None, now: datetime) -> PortalSession | None:
    """Note on a session, now and then, that it was seen; returns it."""
    if session and now - session.last_seen_at > NOTE_EVERY:
        PortalSession.objects.filter(pk=session.pk).update(last_seen_at=now)
    return session


@reads_first("/")
def read_session_of(request: HttpRequest, tenant_id: UUID, now: datetime) -> PortalSession | None:
    """Return the living session of the request's cookie, as the middleware reads it beside the tenant's proof."""
    token = request.COOKIES.get(cookie_name(), "")
    return read_session(token=token, tenant_id=tenant_id, now=now) if token else None


def session_of(request: HttpRequest, tenant_id: UUID, now: datetime) -> PortalSession | None:
    """Return the living session of the request's cookie, and note now and then that it was seen."""
    return note_seen(take_first_read(request, read_session_of, tenant_id, now), now)


def end_session(*, session_id: UUID, reason: str, now: datetime) -> None:
    """End one session; its cookie is worth nothing from the next request on."""
    PortalSession.objects.filter(pk=session_id, ended_at__isnull=True).update(ended_at=now, ended_reason=reason)


def end_sessions_of(*, user_id: UUID, reason: str, now: datetime) -> int:
    """End every session of a person and return how many there were (AUN-09)."""
    living = PortalSession.objects.filter(portal_user_id=user_id, ended_at__isnull=True)
    return living.update(ended_at=now, ended_reason=reason)


def set_cookie(response: HttpResponse, token: str) -> None:
    """Give the browser its session."""
    _set(response, token, int(ABSOLUTE.total_seconds()))


def clear_cookie(response: HttpResponse) -> None:
    """Take the session back from the browser."""
    _set(response, "", 0)


def _set(response: HttpResponse, value: str, max_age: int) -> None:
    response.set_cookie(
        cookie_name(),
        value,
        max_age=max_age,
        path="/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
