"""Stops those who try stolen cards: declines are counted by payer, customer, address and company (PAY-19).

A card is tried by paying with it or by putting it on file; both count as one.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from portal.payments import errors
from portal.payments.models import PaymentAttempt, PaymentMethod
from portal.payments.payers import Payer
from tenants.audit import first_key_of, wait_for_turn
from tenants.schema.models import AuditEvent

log = logging.getLogger("porchlight.payments")
State, Kept = PaymentAttempt.State, PaymentMethod.State

WINDOW = timedelta(minutes=10)
# More declines than this within the window, and the next card is not tried.
FOR_ONE = 5
FOR_COMPANY = 30
# An attempt is over this long after it began, at the payer's bank too.
LONGEST = timedelta(minutes=20)
# Codes of ours: the card was not the reason.
OUR_CODES = ("", "not_now", "form_expired", "expired")
SUBMITTED, ADDED = "payment.submitted", "payment_method.submitted"


def refuse_card_testing(*, payer: Payer, bill_to_id: UUID, ip: str | None, now: datetime) -> None:
    """Raise TooManyDeclines or SignInNeeded; in the transaction that is about to reserve.

    The counters are the attempts themselves, which the company's own schema keeps: nobody can empty them, and no
    other company's count. Those from one address wait for each other, so that a burst is counted like a row.
    """
    if must_sign_in(payer, now):
        log.error("a company is used to try cards; paying needs a sign-in", extra={"declines": _of_company(now)})
        raise errors.SignInNeeded
    if ip:
        wait_for_turn(f"card:{ip}")
    mine = Count("pk", filter=Q(bill_to_id=bill_to_id))
    paying = _declined(now).aggregate(customer=mine, payer=Count("pk", filter=_made_by(payer)))
    adding = _not_kept(now).aggregate(customer=mine, payer=Count("pk", filter=_added_by(payer)))
    counts = {who: paying[who] + adding[who] for who in paying}
    counts["address"] = _from_address(ip, now) if ip else 0
    if max(counts.values()) > FOR_ONE:
        log.warning("too many cards were declined", extra={"counts": counts})
        raise errors.TooManyDeclines


def must_sign_in(payer: Payer, now: datetime) -> bool:
    """Whether this payer is nobody we know while somebody tries cards at this company."""
    known = payer.portal_user_id or payer.mandate_id
    return known is None and _of_company(now) > FOR_COMPANY


def _of_company(now: datetime) -> int:
    return _declined(now).count() + _not_kept(now).count()


def _declined(now: datetime) -> QuerySet[PaymentAttempt]:
    """Return what banks refused within the window; what autopay tried is nobody's testing.

    Keys are ordered by time, so the primary key's index finds the last minutes without one of its own.
    """
    return _recent(now).filter(_is_decline(now))


def _recent(now: datetime) -> QuerySet[PaymentAttempt]:
    return PaymentAttempt.objects.filter(pk__gte=first_key_of(now - WINDOW - LONGEST), mandate_id=None)


def _is_decline(now: datetime) -> Q:
    return Q(state=State.FAILED, closed_at__gt=now - WINDOW) & ~Q(failure_code__in=OUR_CODES)


def _not_kept(now: datetime) -> QuerySet[PaymentMethod]:
    """Return what banks refused to have put on file within the window."""
    return _recent_additions(now).filter(_is_not_kept(now))


def _recent_additions(now: datetime) -> QuerySet[PaymentMethod]:
    return PaymentMethod.objects.filter(pk__gte=first_key_of(now - WINDOW - LONGEST))


def _is_not_kept(now: datetime) -> Q:
    return Q(state=Kept.FAILED, ended_at__gt=now - WINDOW) & ~Q(failure_code__in=OUR_CODES)


def _added_by(payer: Payer) -> Q:
    return Q(added_by_id=payer.portal_user_id) if payer.portal_user_id else Q(pk__in=[])


def _made_by(payer: Payer) -> Q:
    """Name who pays: a person; or whoever uses one link, in however many browsers."""
    if payer.portal_user_id:
        return Q(portal_user_id=payer.portal_user_id)
    return Q(share_link_id=payer.share_link_id, portal_user_id=None)


def _from_address(ip: str, now: datetime) -> int:
    """Count the declines from an address, and what it has sent that is not answered yet.

    One statement for declines and unanswered: an answer that comes between two would be in neither.
    """
    since = now - WINDOW - LONGEST
    events = AuditEvent.objects.filter(pk__gte=first_key_of(since), action__in=(SUBMITTED, ADDED), ip=ip)
    sent = events.values("object_id")
    paying = Q(state=State.SUBMITTED, submitted_at__gt=now - WINDOW)
    adding = Q(state=Kept.ADDING, created_at__gt=now - WINDOW, stripe_si_id=None)
    attempts = _recent(now).filter(_is_decline(now) | paying, pk__in=sent)
    return attempts.count() + _recent_additions(now).filter(_is_not_kept(now) | adding, pk__in=sent).count()
