"""Mailed links and their codes: stored hashed, bound to a purpose and a person, mint one session (S9, Decided 11)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from infra.ids import uuid7
from portal.accounts.client import Client
from portal.accounts.models import LoginToken, PortalSession, PortalUser, StaffUser
from portal.accounts.sessions import NewSession, start_session
from portal.accounts.viewer import may_sign_in
from tenants.audit import Actor, record

MAX_CODE_TRIES = 5
MAX_CODES_PER_DAY = 10

# Only these open a customer's session; a token of any other purpose never does (AUN-03).
SIGN_IN_PURPOSES = (LoginToken.Purpose.INVITE, LoginToken.Purpose.EMAIL_LINK)
Purpose = LoginToken.Purpose


class LinkRefused(Exception):
    """The link signs nobody in; subclasses say why."""


class LinkUsed(LinkRefused):
    """The link has signed in one device already (AUN-13)."""


class LinkExpired(LinkRefused):
    """The link's time is over."""


class AccessEnded(LinkRefused):
    """The link was revoked, the address changed, or the person may not sign in any more (AUN-15)."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A new token with its secrets, which exist here and in the mail only."""

    row: LoginToken
    token: str
    code: str


def mint_token(
    *,
    purpose: LoginToken.Purpose,
    email: str,
    lifetime: timedelta,
    now: datetime,
    portal_user: PortalUser | None = None,
    staff_user: StaffUser | None = None,
    with_code: bool = True,
    browser_hash: bytes | None = None,
    deep_link: str = "",
) -> Minted:
    """Create a token for one person; after ten codes in a day the link comes without one (AUN-28)."""
    if with_code and not has_codes_left(email, now):
        with_code = False
    token = secrets.token_urlsafe(32)
    code = f"{secrets.randbelow(1_000_000):06d}" if with_code else ""
    row = LoginToken(
        portal_user=portal_user,
        staff_user=staff_user,
        purpose=purpose,
        email=email,
        token_hash=_hash_token(token),
        browser_hash=browser_hash,
        created_at=now,
        expires_at=now + lifetime,
        deep_link=deep_link[:300],
    )
    row.code_hash = _hash_code(row.pk, code) if code else None
    row.save(force_insert=True)
    return Minted(row, token, code)


def has_codes_left(email: str, now: datetime) -> bool:
    """Whether a code may still be mailed to an address today (AUN-28)."""
    day = now - timedelta(days=1)
    mailed = LoginToken.objects.filter(email=email, code_hash__isnull=False, created_at__gt=day)
    return mailed.count() < MAX_CODES_PER_DAY


def find_token(token: str, *, purposes: tuple[LoginToken.Purpose, ...] = SIGN_IN_PURPOSES) -> LoginToken | None:
    """Return the row of a link's token, whatever became of it since."""
    rows = LoginToken.objects.filter(token_hash=_hash_token(token), purpose__in=purposes)
    return rows.select_related("portal_user", "staff_user").first()


def check_token(row: LoginToken, now: datetime) -> None:
    """Raise what keeps the link from signing in; changes nothing (AUN-10)."""
    user = row.portal_user
    if row.revoked_at is not None or user is None or user.email != row.email or not may_sign_in(user):
        raise AccessEnded
    if row.consumed_at is not None:
        raise LinkUsed
    if row.expires_at <= now:
        raise LinkExpired


def consume_token(*, row: LoginToken, tenant_id: UUID, client: Client, now: datetime) -> NewSession:
    """Turn a link into the one session it is good for; raises LinkUsed, LinkExpired, AccessEnded (AUN-12).

    Of any number of simultaneous calls exactly one finds the row unused: the others wait for it and see it used.
    Runs in the caller's transaction, together with the session and the first activation of invited accesses.
    """
    session_id = uuid7()
    taken = LoginToken.objects.filter(
        pk=row.pk, consumed_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now
    ).update(consumed_at=now, session_id=session_id)
    row.refresh_from_db()
    if not taken:
        check_token(row, now)
        raise LinkUsed
    user = row.portal_user
    if user is None or user.email != row.email or not may_sign_in(user):
        # The link stays unused for the day the access is given back.
        LoginToken.objects.filter(pk=row.pk).update(consumed_at=None, session_id=None)
        raise AccessEnded
    session = start_session(user=user, tenant_id=tenant_id, client=client, now=now, session_id=session_id)
    _note_sign_in(user, client, now)
    return session


def _note_sign_in(user: PortalUser, client: Client, now: datetime) -> None:
    by = Actor("customer", user.pk, user.email, client.ip, client.request_id)
    PortalUser.objects.filter(pk=user.pk).update(last_sign_in_at=now, sign_in_count=F("sign_in_count") + 1)
    invited = user.accesses.filter(
        status="invited", customer__portal_locked=False, customer__archived_at=None, customer__merged_into=None
    )
    for access in invited.order_by("pk"):
        if user.accesses.filter(pk=access.pk, status="invited").update(status="active", activated_at=now):
            record("portal_access.activated", by=by, now=now, target=access)
    record("portal_user.signed_in", by=by, now=now, target=user)


def note_first_seen(*, row: LoginToken, client: Client, now: datetime) -> None:
    """Remember when and with what a link was first opened; the only thing a GET may change (AUN-10)."""
    LoginToken.objects.filter(pk=row.pk, first_seen_at__isnull=True).update(
        first_seen_at=now, first_seen_ua=client.user_agent
    )


def is_session_of(row: LoginToken, session: PortalSession | None) -> bool:
    """Whether the browser that opens a used link is signed in as the person it was mailed to (AUN-13)."""
    return session is not None and session.portal_user_id == row.portal_user_id


def find_token_by_code(*, code: str, browser_hash: bytes | None, email: str, now: datetime) -> LoginToken | None:
    """Return the live token a typed code belongs to; every wrong code counts against all it could have been.

    A code of a link asked for on the sign-in page works in the browser that asked; that of an invitation needs the
    address typed with it (Decided 26, AUN-28).
    """
    return _compare(_candidates(browser_hash, email, now), code)


def find_proof(*, code: str, browser_hash: bytes, user_id: UUID, now: datetime) -> LoginToken | None:
    """Return the live code that this very session asked for; a wrong one counts against all it could have been."""
    return _compare(_live(now).filter(purpose=Purpose.PROOF, browser_hash=browser_hash, portal_user_id=user_id), code)


def _compare(candidates: QuerySet[LoginToken], code: str) -> LoginToken | None:
    # Locked, so that guesses sent side by side are counted one after the other and not all compared at once.
    for row in candidates.select_for_update().order_by("pk"):
        if row.code_hash and constant_time_compare(bytes(row.code_hash), _hash_code(row.pk, code)):
            return row
    candidates.update(code_tries=F("code_tries") + 1)
    return None


def _candidates(browser_hash: bytes | None, email: str, now: datetime) -> QuerySet[LoginToken]:
    same_browser = Q(browser_hash=browser_hash) if browser_hash else Q(pk__in=[])
    invited = Q(purpose=LoginToken.Purpose.INVITE, email=email) if email else Q(pk__in=[])
    return _live(now).filter(same_browser | invited, purpose__in=SIGN_IN_PURPOSES)


def _live(now: datetime) -> QuerySet[LoginToken]:
    return LoginToken.objects.filter(
        code_hash__isnull=False,
        code_tries__lt=MAX_CODE_TRIES,
        consumed_at__isnull=True,
        revoked_at__isnull=True,
        expires_at__gt=now,
    )


def revoke_tokens_of(*, user_id: UUID, now: datetime) -> int:
    """End every unused link of a person and return how many there were (datamodel.md 5.5)."""
    live = LoginToken.objects.filter(portal_user_id=user_id, consumed_at__isnull=True, revoked_at__isnull=True)
    return live.update(revoked_at=now)


def _hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _hash_code(token_id: UUID, code: str) -> bytes:
    # Six digits are guessed from a plain hash at once: the installation's secret key and the row are part of it.
    return salted_hmac(f"porchlight.login-code:{token_id}", code, algorithm="sha256").digest()
