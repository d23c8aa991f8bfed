"""Signed-in browsers of staff: 12 hours idle, 7 days at most, bound to one company (Decided 24, AUN-01, AUN-08)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.accounts.client import Client
from portal.accounts.models import StaffSession, StaffUser
from tenants.first_read import reads_first, take_first_read

IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=7)
NOTE_EVERY = timedelta(minutes=1)


def cookie_name() -> str:
    """Return the cookie's name; over https it is bound to this very host (AUN-07)."""
    return "__Host-office" if settings.SESSION_COOKIE_SECURE else "office"


def hash_token(token: str) -> bytes:
    """Return what is stored of a token (AUN-04)."""
    return hashlib.sha256(token.encode()).digest()


def start_session(*, staff: StaffUser, tenant_id: UUID, client: Client, now: datetime) -> tuple[StaffSession, str]:
    """Create a session and return it with the token for the cookie; the token itself is not stored."""
    token = secrets.token_urlsafe(32)
    session = StaffSession.objects.create(
        staff_user=staff,
        token_hash=hash_token(token),
        tenant_id=tenant_id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + ABSOLUTE,
        ip=client.ip,
        user_agent=client.user_agent,
    )
    return session, token


def find_session(*, token: str, tenant_id: UUID, now: datetime) -> StaffSession | None:
    """Return the living session of a token with its staff member, and note now and then that it was seen.

    Whoever is no longer active has no living session (AUN-09, AUZ-13).
    """
    return note_seen(read_session(token=token, tenant_id=tenant_id, now=now), now)


def read_session(*, token: str, tenant_id: UUID, now: datetime) -> StaffSession | None:
    """Return the living session of a token with its staff member; one query, and nothing is noted."""
    living = StaffSession.objects.filter(
        token_hash=hash_token(token),
        tenant_id=tenant_id,
        ended_at__isnull=True,
        expires_at__gt=now,
        last_seen_at__gt=now - IDLE,
        staff_user__status=StaffUser.Status.ACTIVE,
    )
    return living.select_related("staff_user").first()


def note_seen(session: StaffSession | None, now: datetime) -> StaffSession | None:
    """Note on a session, now and then, that it was seen; returns it."""
    if session and now - session.last_seen_at > NOTE_EVERY:
        StaffSession.objects.filter(pk=session.pk).update(last_seen_at=now)
    return session


def end_session(*, session: StaffSession, reason: str, now: datetime) -> None:
    """End one session; its cookie is worth nothing from the next request on."""
    StaffSession.objects.filter(pk=session.pk, ended_at__isnull=True).update(ended_at=now, ended_reason=reason)


def end_sessions_of(*, staff: StaffUser, reason: str, now: datetime) -> int:
    """End every session of a staff member and return how many there were (AUN-09)."""
    living = StaffSession.objects.filter(staff_user=staff, ended_at__isnull=True)
    return living.update(ended_at=now, ended_reason=reason)


@reads_first("/office/")
def read_session_of(request: HttpRequest, tenant_id: UUID, now: datetime) -> StaffSession | None:
    """Return the living session of the request's cookie, as the middleware reads it beside the tenant's proof."""
    token = request.COOKIES.get(cookie_name(), "")
    return read_session(token=token, tenant_id=tenant_id, now=now) if token else None


def session_of(request: HttpRequest, tenant_id: UUID, now: datetime) -> StaffSession | None:
    """Return the living session of the request's cookie, and note now and then that it was seen."""
    return note_seen(take_first_read(request, read_session_of, tenant_id, now), now)


def set_cookie(response: HttpResponse, token: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        cookie_name(),
        token,
        max_age=int(ABSOLUTE.total_seconds()),
        path="/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def clear_cookie(response: HttpResponse) -> None:
    """Take the session back from the browser."""
    response.set_cookie(
        cookie_name(),
        "",
        max_age=0,
        path="/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
