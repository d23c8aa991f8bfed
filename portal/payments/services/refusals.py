"""Writes down that somebody wanted to pay and was not let: who, what they asked for, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from tenants.audit import Actor, count_events, record

REFUSED = "payment.refused"
MINUTE = timedelta(minutes=1)
# More than this from one address within a minute says nothing new, and must not fill the books.
OFTEN = 20


@transaction.atomic
def note_refusal(*, because: str, ids: Sequence[UUID], by: Actor, now: datetime, seen: str = "") -> None:
    """Audit a refusal of what was to be paid, `seen` being the cents that the form named; nothing else is written."""
    if count_events(REFUSED, since=now - MINUTE, ip=by.ip) < OFTEN:
        asked = {"asked": [str(target) for target in ids[:50]], "seen_cents": seen[:20]}
        record(REFUSED, by=by, now=now, after={"because": because, **asked})
