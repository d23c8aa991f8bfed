"""A sign-up takes its address, and the mail that proves the person is asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from provisioning.addresses import hold_address
from signup.models import SignUp
from tenants.outbox import emit_control
from tenants.slugs import slug_problem

MAILS = 5
PAUSE = timedelta(seconds=60)


class BadAddress(ValueError):
    """The address is malformed or kept back; forms say so before."""


class SignUpEnded(Exception):
    """The person canceled; only a new sign-up can begin."""


class MailNotDue(Exception):
    """Another mail cannot be had yet, or not at all."""


def choose_address(*, signup_id: UUID, slug: str, now: datetime) -> SignUp:
    """Hold the address for 30 minutes and mail the proof; raises BadAddress, AddressTaken, SignUpEnded.

    Pressing twice holds once and mails once. A sign-up that is verified already only takes the address.
    """
    if slug_problem(slug):
        raise BadAddress(slug)
    signup = SignUp.objects.select_for_update().get(pk=signup_id)
    if signup.tenant_id:
        return signup
    if signup.state == SignUp.State.CANCELED:
        raise SignUpEnded
    hold_address(slug=slug, holder=signup.pk, now=now)
    changed = signup.slug != slug
    signup.slug = slug
    signup.save(update_fields=["slug"])
    due = changed or signup.state == SignUp.State.STARTED
    if due and signup.verified_at is None and signup.mails_sent < MAILS:
        _ask_for_mail(signup, now)
    return signup


def send_again(*, signup_id: UUID, now: datetime) -> None:
    """Have a new link and code mailed, which end the former ones; raises MailNotDue."""
    signup = SignUp.objects.select_for_update().get(pk=signup_id)
    if seconds_to_next_mail(signup, now) != 0 or signup.verified_at:
        raise MailNotDue
    _ask_for_mail(signup, now)


def seconds_to_next_mail(signup: SignUp, now: datetime) -> int | None:
    """Return how long to wait for another mail; None when there is none any more."""
    if signup.mails_sent >= MAILS or signup.expires_at <= now or signup.state == SignUp.State.CANCELED:
        return None
    if signup.sent_at is None:
        return 0
    return max(0, int((signup.sent_at + PAUSE - now).total_seconds() + 0.999))


def _ask_for_mail(signup: SignUp, now: datetime) -> None:
    signup.mails_sent += 1
    signup.state = SignUp.State.EMAIL_SENT
    signup.sent_at = now
    signup.save(update_fields=["mails_sent", "state", "sent_at"])
    emit_control(
        "signup.mail",
        key=f"signup:{signup.pk}:{signup.mails_sent}",
        payload={"signup": str(signup.pk), "number": signup.mails_sent},
        now=now,
    )
