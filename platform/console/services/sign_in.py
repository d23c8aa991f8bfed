"""Operators' sign-in: password, limits, short sessions (Decided 24, ADR 5)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Q

from console.models import Operator, OperatorSession, SignInFailure
from tenants.audit import Actor, record_control

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=4)
WINDOW = timedelta(minutes=15)
TRIES_PER_EMAIL = 5
TRIES_PER_IP = 20


class WrongPassword(Exception):
    """E-mail and password do not belong together, or the operator is not active."""


class TooManyTries(Exception):
    """Too many wrong passwords; `minutes` says how long to wait (AUN-19)."""

    def __init__(self, minutes: int) -> None:
        super().__init__(f"Wait {minutes} minutes.")
        self.minutes = minutes


def sign_in_operator(*, email: str, password: str, ip: str | None, user_agent: str, now: datetime) -> str:
    """Check the password and return the new session's token; raises WrongPassword, TooManyTries.

    An unknown address costs the same work as a wrong password (AUN-17).
    """
    address = email.strip().lower()
    _refuse_guessing(address, ip, now)
    operator = Operator.objects.filter(email=address, is_active=True).first()
    if not check_password(password, operator.password_hash if operator else _decoy()) or operator is None:
        with transaction.atomic():
            SignInFailure.objects.create(email=address[:254], ip=ip, at=now)
            record_control("console.sign_in", by=Actor("visitor", None, address, ip), now=now, result="denied")
        raise WrongPassword
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        OperatorSession.objects.create(
            operator=operator,
            token_hash=hash_token(token),
            created_at=now,
            last_seen_at=now,
            expires_at=now + ABSOLUTE,
            ip=ip,
            user_agent=user_agent[:300],
        )
        Operator.objects.filter(pk=operator.pk).update(last_sign_in_at=now)
        record_control("console.sign_in", by=actor_of(operator, ip), now=now)
    return token


def find_session(*, token: str, now: datetime) -> OperatorSession | None:
    """Return the living session of a token and note that it was seen."""
    living = OperatorSession.objects.filter(
        token_hash=hash_token(token),
        ended_at__isnull=True,
        expires_at__gt=now,
        last_seen_at__gt=now - IDLE,
        operator__is_active=True,
    )
    session = living.select_related("operator").first()
    if session and now - session.last_seen_at > timedelta(seconds=30):
        OperatorSession.objects.filter(pk=session.pk).update(last_seen_at=now)
    return session


def sign_out_operator(*, session: OperatorSession, now: datetime) -> None:
    """End a session."""
    OperatorSession.objects.filter(pk=session.pk, ended_at__isnull=True).update(ended_at=now, ended_reason="signed out")


def actor_of(operator: Operator, ip: str | None = None, request_id: str = "") -> Actor:
    """Name an operator in the audit."""
    return Actor("operator", operator.pk, operator.email, ip, request_id)


def hash_token(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def _refuse_guessing(email: str, ip: str | None, now: datetime) -> None:
    recent = SignInFailure.objects.filter(Q(email=email) | Q(ip=ip), at__gt=now - WINDOW)
    tries = list(recent.values_list("email", "ip"))
    by_ip = sum(1 for _, failed_ip in tries if ip and failed_ip == ip)
    if sum(1 for failed_email, _ in tries if failed_email == email) >= TRIES_PER_EMAIL or by_ip >= TRIES_PER_IP:
        raise TooManyTries(int(WINDOW.total_seconds() // 60))


_decoys: list[str] = []


def _decoy() -> str:
    """Return a hash that no password fits, made once, so that unknown addresses take as long as known ones."""
    if not _decoys:
        _decoys.append(make_password(secrets.token_urlsafe(32)))
    return _decoys[0]
