"""Works off events in small batches, the freshest among them; what waits is in the inbox, hints only wake us."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from billing.errors import SubscriptionDisagrees
from infra.queue import DEAD_AFTER
from infra.stripe_client import is_stripe_away
from portal.payments.errors import IntentDisagrees, UnknownIntent
from tenants.audit import Actor, record_control
from tenants.context import UnknownTenant
from tenants.payment_accounts import AccountIsAnothers
from tenants.scope import control_scope
from tenants.tasks import hints_once
from webhooks.events import subject_of
from webhooks.models import WebhookInbox
from webhooks.services.looks import Account, Parked
from webhooks.tasks import process_inbox

log = logging.getLogger("porchlight.webhooks")
State = WebhookInbox.State
Rows = Sequence[WebhookInbox]
MAX_ATTEMPTS = 8
# One claim and one end for so many events; with more of them the last would wait long for the first.
BATCH = 8
# Whoever dies with a batch keeps it so long; it is over before the broker hands the dead worker's message to another,
# who would find nothing otherwise. In the last third of that time nothing is begun.
LEASE = DEAD_AFTER * 4 / 5
WORKING_SECONDS = LEASE.total_seconds() * 2 / 3
SWEPT = 500

PARKS = (Parked, UnknownIntent, IntentDisagrees, AccountIsAnothers, UnknownTenant, SubscriptionDisagrees)


def work_off_inbox(*, now: datetime) -> int:
    """Work off a batch of what waits and return how many events it had; whoever finds a full one calls another.

    While Stripe is away nothing is tried, and no try is used up: the sweep finds the events again (F23).
    """
    if is_stripe_away():
        return 0
    with control_scope():
        rows = _claim(CLAIM_BATCH, now, share=BATCH // 2, tries=MAX_ATTEMPTS)
        if len(rows) == BATCH:
            process_inbox.hint()
        _work_off(rows, now)
    return len(rows)


def process_event(*, inbox_id: UUID, now: datetime) -> None:
    """Work off one event whoever has claimed it; again, or in parallel, changes nothing more (PAY-09, F23)."""
    if is_stripe_away():
        return
    with control_scope():
        _work_off(_claim(CLAIM_ONE, now, inbox_id=inbox_id), now)


def _claim(statement: str, now: datetime, **more: object) -> Rows:
    """Take events for the length of a lease, newest first; two who take one do no harm, the ledger is exactly-once."""
    taken = list(WebhookInbox.objects.raw(statement, {"now": now, "until": now + LEASE, **more}))
    return sorted(taken, key=lambda row: row.received_at, reverse=True)


def _work_off(rows: Rows, now: datetime) -> None:
    """Work off a batch company by company: one look for all events of it that ask for the same (PAY-08, PAY-10)."""
    until = monotonic() + WORKING_SECONDS
    accounts: defaultdict[str, defaultdict[tuple[str, ...], list[WebhookInbox]]]
    accounts = defaultdict(lambda: defaultdict(list))
    for row in rows:
        accounts[row.account_id][row.scope, subject_of(row.type, row.scope) or row.type, row.object_id].append(row)
    left: list[WebhookInbox] = []
    for account_id, looks in accounts.items():
        done: list[UUID] = []
        with hints_once(), Account(account_id, now) as account:
            for same in looks.values():
                if monotonic() > until or is_stripe_away():
                    left += same
                elif _look(account, same, now):
                    done += [row.pk for row in same]
        if done:
            WebhookInbox.objects.filter(pk__in=done).update(state=State.DONE, error="", done_at=now)
    if left:
        _give_back(left, now)


def _look(account: Account, rows: Rows, now: datetime) -> bool:
    """Look for events that ask for the same; False when that failed, which is written down at once."""
    try:
        account.look(rows)
    except PARKS as error:
        log.error("event parked", extra={"events": [row.event_id for row in rows], "reason": repr(error)})
        _note_failure(rows, State.PARKED, error)
    except Exception as error:
        for row in rows:
            log.exception("event failed", extra={"event": row.event_id, "attempts": row.attempts})
            wait = timedelta(seconds=min(15 * 2**row.attempts, 3_600))
            _note_failure([row], State.FAILED, error, next_at=now + wait)
    else:
        return True
    return False


def _note_failure(rows: Rows, state: State, error: Exception, **fields: datetime) -> None:
    """Write down that it failed; a success that somebody else has written stays."""
    with control_scope():
        those = WebhookInbox.objects.filter(pk__in=[row.pk for row in rows]).exclude(state=State.DONE)
        those.update(state=state, error=repr(error)[:2000], **fields)


def _give_back(rows: Rows, now: datetime) -> None:
    """Leave events as they were before they were claimed, no look was tried; and ask somebody else to take them."""
    those = WebhookInbox.objects.filter(pk__in=[row.pk for row in rows], state__in=[State.RECEIVED, State.FAILED])
    those.update(attempts=F("attempts") - 1, next_at=now)
    process_inbox.hint()


def due_events(now: datetime) -> list[UUID]:
    """Return events that were forgotten or are due for another try; poison is left to the operators."""
    with control_scope():
        due = WebhookInbox.objects.filter(
            Q(state=State.RECEIVED) | Q(state=State.FAILED), next_at__lte=now, attempts__lt=MAX_ATTEMPTS
        )
        return list(due.order_by("next_at").values_list("pk", flat=True)[:SWEPT])


def replay_event(*, inbox_id: UUID, reason: str, by: Actor, now: datetime) -> None:
    """Have an event worked off once more, whatever became of it; for the console."""
    with control_scope(), transaction.atomic():
        row = WebhookInbox.objects.select_for_update().get(pk=inbox_id)
        WebhookInbox.objects.filter(pk=inbox_id).update(
            state=State.RECEIVED, attempts=0, next_at=now, done_at=None, error=""
        )
        record_control(
            "webhook.replayed",
            by=by,
            now=now,
            tenant_id=row.tenant_id,
            target=row.event_id,
            reason=reason,
            before={"state": row.state, "error": row.error[:300]},
        )
        process_inbox.hint_after_commit()


# Half of a batch are the newest: their payers look at the page just now, while who waits in a backlog waits anyhow.
# The other half are the oldest, so that the backlog shrinks however much comes in. What nobody has tried yet needs no
# date; a retry waits for its own. Payloads stay where they are.
_CLAIM = """
UPDATE webhooks_webhookinbox AS taken
   SET attempts = taken.attempts + 1, next_at = %(until)s
{which}
RETURNING taken.id, taken.event_id, taken.scope, taken.account_id, taken.tenant_id, taken.type, taken.object_id,
          taken.attempts, taken.received_at
"""
_WAITING = """
SELECT id FROM webhooks_webhookinbox
 WHERE state IN ('received', 'failed') AND attempts < %(tries)s AND (attempts = 0 OR next_at <= %(now)s)
 ORDER BY next_at {order} LIMIT %(share)s FOR UPDATE SKIP LOCKED
"""
_DUE = """
  FROM (SELECT id FROM ({newest}) AS newest UNION SELECT id FROM ({oldest}) AS oldest) AS due
 WHERE taken.id = due.id
"""
CLAIM_BATCH = _CLAIM.format(
    which=_DUE.format(newest=_WAITING.format(order="DESC"), oldest=_WAITING.format(order="ASC"))
)
CLAIM_ONE = _CLAIM.format(which=" WHERE taken.id = %(inbox_id)s AND taken.state IN ('received', 'failed')")
