"""Sends a statement to the person who looks at it, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from infra.ids import uuid7
from portal.accounts.models import PortalUser
from tenants.audit import Actor, count_events, record, wait_for_turn
from tenants.outbox import emit

ASKED = "statement.asked"
WINDOW = timedelta(hours=1)
LIMIT = 5


class TooManyStatements(Exception):
    """This person has had several mailed within the hour; `wait_seconds` says when the next one may go."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"Wait {wait_seconds} seconds.")
        self.wait_seconds = wait_seconds


@transaction.atomic
def mail_statement(
    *, user: PortalUser, customer_ids: Iterable[UUID], first: date, last: date, by: Actor, now: datetime
) -> None:
    """Have the statement mailed to the person's own stored address; raises TooManyStatements.

    What it shows is read when the mail is made, with the rights that the person has then.
    """
    wait_for_turn(f"statement:{user.pk}")
    if count_events(ASKED, since=now - WINDOW, object_id=user.pk) >= LIMIT:
        raise TooManyStatements(int(WINDOW.total_seconds()))
    period = {"first": first.isoformat(), "last": last.isoformat()}
    record(ASKED, by=by, now=now, target=user, after=period)
    emit(
        ASKED,
        key=f"statement:{uuid7()}",
        payload={"user": str(user.pk), "customers": [str(pk) for pk in customer_ids], **period},
        now=now,
    )
