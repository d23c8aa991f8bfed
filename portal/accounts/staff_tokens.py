"""Mailed links of staff: first sign-in, hand-off from sign-up, new password; each mints one session (Decided 11)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from portal.accounts.models import LoginToken, StaffUser
from portal.accounts.staff_sessions import hash_token

Purpose = LoginToken.Purpose
LIFETIMES = {
    Purpose.STAFF_FIRST_SIGN_IN: timedelta(hours=24),
    Purpose.HANDOFF: timedelta(minutes=10),
    Purpose.PASSWORD_RESET: timedelta(hours=1),
}
WELCOMED = (StaffUser.Status.INVITED, StaffUser.Status.ACTIVE)


class LinkNotUsable(Exception):
    """The link is unknown, used, expired, revoked or its owner may not sign in; nobody learns which."""


def mint_staff_token(*, staff: StaffUser, purpose: LoginToken.Purpose, now: datetime) -> str:
    """Store a new link for a staff member and return its secret part, which is stored nowhere (AUN-04)."""
    token = secrets.token_urlsafe(32)
    LoginToken.objects.create(
        staff_user=staff,
        purpose=purpose,
        email=staff.email or "",
        token_hash=hash_token(token),
        created_at=now,
        expires_at=now + LIFETIMES[purpose],
    )
    return token


def find_staff_token(*, token: str, now: datetime) -> LoginToken:
    """Return a link that could be used now, changing nothing (AUN-10); raises LinkNotUsable."""
    found = (
        LoginToken.objects.filter(
            token_hash=hash_token(token),
            purpose__in=LIFETIMES,
            staff_user__status__in=WELCOMED,
            consumed_at__isnull=True,
            revoked_at__isnull=True,
            expires_at__gt=now,
        )
        .select_related("staff_user")
        .first()
    )
    if found is None or found.staff_user is None or found.staff_user.email != found.email:
        raise LinkNotUsable
    return found


def consume_staff_token(*, token: str, now: datetime) -> LoginToken:
    """Use a link up and return it; of many at once exactly one succeeds (AUN-12). Raises LinkNotUsable."""
    found = find_staff_token(token=token, now=now)
    won = LoginToken.objects.filter(pk=found.pk, consumed_at__isnull=True, revoked_at__isnull=True)
    if not won.update(consumed_at=now):
        raise LinkNotUsable
    return found


def revoke_staff_tokens(*, staff: StaffUser, now: datetime) -> None:
    """Make every open link of a staff member useless."""
    LoginToken.objects.filter(staff_user=staff, consumed_at__isnull=True, revoked_at__isnull=True).update(
        revoked_at=now
    )
