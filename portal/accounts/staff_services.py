"""Staff sign in, sign out, and choose a password through a mailed link (AUN-05, AUN-12, AUN-17, AUN-25)."""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password

from infra.ids import uuid7
from portal.accounts.client import Client
from portal.accounts.emails import normalise_email
from portal.accounts.models import LoginToken, StaffSession, StaffUser
from portal.accounts.staff_limits import (
    FAILED,
    RESET_ASKED,
    may_ask_for_reset,
    note_try,
    refuse_guessing,
    take_turn,
)
from portal.accounts.staff_sessions import end_session, end_sessions_of, start_session
from portal.accounts.staff_tokens import consume_staff_token, revoke_staff_tokens
from tenants.audit import Actor, record
from tenants.outbox import emit

LONGEST_PASSWORD = 128


class WrongPassword(Exception):
    """E-mail and password do not belong together, or the person may not sign in; nobody learns which."""


def actor_of(staff: StaffUser, client: Client | None = None) -> Actor:
    """Name a staff member in the audit."""
    ip, request = (client.ip, client.request_id) if client else (None, "")
    return Actor("staff", staff.pk, staff.name or staff.email or "", ip, request)


def sign_in_staff(
    *, email: str, password: str, tenant_id: UUID, client: Client, now: datetime
) -> tuple[StaffSession, str]:
    """Check the password and return the new session with its token; raises WrongPassword, TooManyTries.

    An unknown, disabled or password-less account costs the same work as a wrong password (AUN-17, AUN-25).
    """
    address = normalise_email(email)
    take_turn(address)
    refuse_guessing(email=address, client=client, now=now)
    staff = StaffUser.objects.filter(email=address, status=StaffUser.Status.ACTIVE).exclude(password_hash="").first()
    fits = check_password(password[: LONGEST_PASSWORD + 1], staff.password_hash if staff else _decoy())
    if not fits or staff is None:
        note_try(FAILED, email=address, client=client, now=now)
        raise WrongPassword
    session, token = start_session(staff=staff, tenant_id=tenant_id, client=client, now=now)
    StaffUser.objects.filter(pk=staff.pk).update(last_sign_in_at=now)
    record("staff.signed_in", by=actor_of(staff, client), now=now, target=staff)
    return session, token


def sign_out_staff(*, session: StaffSession, client: Client, now: datetime) -> None:
    """End the session of one browser."""
    end_session(session=session, reason="signed out", now=now)
    record("staff.signed_out", by=actor_of(session.staff_user, client), now=now, target=session.staff_user)


def ask_for_reset(*, email: str, client: Client, now: datetime) -> None:
    """Have a new-password link mailed, if the address is a staff member's; the caller never learns (AUN-17, AUN-18)."""
    address = normalise_email(email)
    if not may_ask_for_reset(email=address, client=client, now=now):
        return
    note_try(RESET_ASKED, email=address, client=client, now=now)
    emit("staff.password_reset", key=f"staff.password_reset:{uuid7()}", payload={"email": address}, now=now)


def choose_password(
    *, token: str, password: str, tenant_id: UUID, client: Client, now: datetime
) -> tuple[StaffSession, str]:
    """Use a mailed link up, set the password and sign in; raises LinkNotUsable, ValidationError (AUN-25).

    Every other session and every other open link of the person ends (AUN-09).
    """
    validate_password(password)
    link = consume_staff_token(token=token, now=now)
    staff = link.staff_user
    assert staff
    end_sessions_of(staff=staff, reason="password changed", now=now)
    revoke_staff_tokens(staff=staff, now=now)
    session, cookie = start_session(staff=staff, tenant_id=tenant_id, client=client, now=now)
    LoginToken.objects.filter(pk=link.pk).update(session_id=session.pk)
    StaffUser.objects.filter(pk=staff.pk).update(
        password_hash=make_password(password),
        password_set_at=now,
        status=StaffUser.Status.ACTIVE,
        last_sign_in_at=now,
    )
    record("staff.password_chosen", by=actor_of(staff, client), now=now, target=staff, after={"by": link.purpose})
    return session, cookie


@lru_cache(maxsize=4)
def _decoy_of(hashers: tuple[str, ...]) -> str:
    return make_password(secrets.token_urlsafe(32))


def _decoy() -> str:
    """Return a hash that no password fits, made once per process."""
    return _decoy_of(tuple(settings.PASSWORD_HASHERS))
