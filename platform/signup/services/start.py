"""The first form of a sign-up becomes one row, however often its button is pressed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from signup.browser import browser_secret, hash_secret
from signup.models import SignUp
from tenants.models import Plan

LIFETIME = timedelta(hours=24)
PER_IP, IP_WINDOW = 30, timedelta(hours=1)
PER_EMAIL, EMAIL_WINDOW = 5, timedelta(hours=24)


class TooManySignUps(Exception):
    """The address or the place has begun too many sign-ups; the same for known and unknown people (AUN-17)."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"Wait {wait}.")
        self.wait = wait


class NothingOffered(Exception):
    """No plan is offered at the moment, so nobody can sign up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What the first form asks."""

    email: str
    owner_name: str
    company: str
    trade: str
    country: str
    time_zone: str
    locale: str


def offered_plan() -> Plan:
    """Return the plan that new companies get; raises NothingOffered."""
    plan = Plan.objects.filter(is_offered=True).order_by("-version").first()
    if plan is None:
        raise NothingOffered
    return plan


def start_signup(*, form_key: UUID, details: Details, ip: str | None, now: datetime) -> SignUp:
    """Begin a sign-up, or correct the one this form began; raises TooManySignUps, NothingOffered."""
    mine = SignUp.objects.filter(form_key=form_key).select_for_update()
    signup = mine.first()
    if signup is None:
        _check_budget(details.email, ip, now)
        new = SignUp(
            form_key=form_key,
            browser_hash=hash_secret(browser_secret(form_key)),
            plan=offered_plan(),
            ip=ip,
            created_at=now,
            expires_at=now + LIFETIME,
            **asdict(details),
        )
        SignUp.objects.bulk_create([new], ignore_conflicts=True)
        return mine.get()
    if signup.verified_at is None:
        _correct(signup, details)
    return signup


def _check_budget(email: str, ip: str | None, now: datetime) -> None:
    if SignUp.objects.filter(email=email, created_at__gt=now - EMAIL_WINDOW).count() >= PER_EMAIL:
        raise TooManySignUps(EMAIL_WINDOW)
    if ip and SignUp.objects.filter(ip=ip, created_at__gt=now - IP_WINDOW).count() >= PER_IP:
        raise TooManySignUps(IP_WINDOW)


def _correct(signup: SignUp, details: Details) -> None:
    moved = signup.email != details.email
    for name, value in asdict(details).items():
        setattr(signup, name, value)
    if moved:
        # What was mailed to the former address proves nothing about the new one.
        signup.state, signup.token_hash, signup.code_hash = SignUp.State.STARTED, None, None
    signup.save()
