"""Proof that the person at a signed-in device is its owner: a fresh sign-in, or a code mailed now (AUN-29)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from infra.ids import uuid7
from portal.accounts.asking import TooManyRequests
from portal.accounts.models import LoginToken, PortalSession, PortalUser
from portal.accounts.tokens import find_proof, has_codes_left
from tenants.audit import Actor, count_events, record, wait_for_turn
from tenants.outbox import emit

FRESH = timedelta(minutes=15)
CODE_LIVES = timedelta(minutes=15)
ASKED = "sign_in.proof_asked"
LIMIT, WINDOW = 5, timedelta(hours=1)
DAY = timedelta(days=1)


def is_fresh(proved_at: datetime, now: datetime) -> bool:
    """Whether money matters may be changed without asking anew. Pure."""
    return now - proved_at < FRESH


def browser_of(session_id: UUID) -> bytes:
    """Return what ties a code to the one session that asked for it. Pure."""
    return hashlib.sha256(session_id.bytes).digest()


def ask_for_code(*, user: PortalUser, session_id: UUID, back: str, language: str, by: Actor, now: datetime) -> None:
    """Have a code mailed to the person's stored address; raises TooManyRequests (AUN-19, AUN-28)."""
    wait_for_turn(f"proof:{user.pk}")
    if count_events(ASKED, since=now - WINDOW, object_id=user.pk) >= LIMIT:
        raise TooManyRequests(int(WINDOW.total_seconds()))
    if not has_codes_left(user.email, now):
        raise TooManyRequests(int(DAY.total_seconds()))
    record(ASKED, by=by, now=now, target=user)
    payload = {"user": str(user.pk), "session": str(session_id), "back": back, "language": language}
    emit(ASKED, key=f"proof:{uuid7()}", payload=payload, now=now)


@transaction.atomic
def prove(*, user: PortalUser, session_id: UUID, code: str, by: Actor, now: datetime) -> bool:
    """Take the mailed code once and make the session's proof fresh; False when the code is not a live one of it.

    Of any number of simultaneous calls one finds the code unused. A wrong code is an answer and no exception: what was
    counted against the codes must stay.
    """
    row = find_proof(code=code, browser_hash=browser_of(session_id), user_id=user.pk, now=now)
    if row is None or row.email != user.email:
        return False
    unused = LoginToken.objects.filter(pk=row.pk, consumed_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)
    if not unused.update(consumed_at=now, session_id=session_id):
        return False
    PortalSession.objects.filter(pk=session_id, ended_at__isnull=True).update(proved_at=now)
    record("sign_in.proved", by=by, now=now, target=user)
    return True
