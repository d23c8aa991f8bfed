"""Works off events: account → company → look at the object again → one transaction there → done here (PAY-08…10)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from billing.errors import SubscriptionDisagrees
from billing.rows import find_tenant_of_customer
from billing.services.mirror import look_at_company
from infra.stripe_client import is_stripe_away
from portal.methods.services.changing import look_at_method, look_at_setup
from portal.payments.errors import IntentDisagrees, UnknownIntent
from portal.payments.services.disputes import look_at_dispute
from portal.payments.services.onboarding import refresh_account
from portal.payments.services.refunds import adopt_refunds, look_at_refund
from portal.payments.services.settle import settle_intent
from tenants.audit import SYSTEM, Actor, record_control
from tenants.context import TenantContext, UnknownTenant, serving
from tenants.payment_accounts import AccountIsAnothers, find_tenant_of_account
from tenants.scope import control_scope
from webhooks.events import subject_of
from webhooks.models import WebhookInbox
from webhooks.tasks import process_inbox

log = logging.getLogger("porchlight.webhooks")
State = WebhookInbox.State
LEASE = timedelta(seconds=90)
MAX_ATTEMPTS = 8
BATCH = 500


class Parked(Exception):
    """An event that a person has to look at; its sentence says why."""


PARKS = (Parked, UnknownIntent, IntentDisagrees, AccountIsAnothers, UnknownTenant, SubscriptionDisagrees)


def process_event(*, inbox_id: UUID, now: datetime) -> None:
    """Work off one event; running it again, or in parallel, changes nothing more (PAY-09).

    While Stripe is away nothing is tried, and no try is used up: the sweep finds the event again (F23).
    """
    if is_stripe_away():
        return
    with control_scope():
        row = _claim(inbox_id, now)
        if row is None:
            return
        try:
            _act_on(row, now)
        except PARKS as error:
            log.error("event parked", extra={"event": row.event_id, "reason": repr(error)})
            _finish(row, State.PARKED, error=repr(error))
        except Exception as error:
            log.exception("event failed", extra={"event": row.event_id, "attempts": row.attempts})
            wait = timedelta(seconds=min(15 * 2**row.attempts, 3_600))
            _finish(row, State.FAILED, error=repr(error), next_at=now + wait)
        else:
            _finish(row, State.DONE, done_at=now)


def _claim(inbox_id: UUID, now: datetime) -> WebhookInbox | None:
    """Take an event that is still to be done; two who take it do no harm, the ledger is exactly-once."""
    taken = WebhookInbox.objects.filter(pk=inbox_id, state__in=[State.RECEIVED, State.FAILED]).update(
        attempts=F("attempts") + 1, next_at=now + LEASE
    )
    return WebhookInbox.objects.get(pk=inbox_id) if taken else None


def _act_on(row: WebhookInbox, now: datetime) -> None:
    if row.scope == "platform":
        _look_at_subscription(row, now)
        return
    tenant_id = find_tenant_of_account(row.account_id) if row.account_id else None
    if tenant_id is None:
        raise Parked("no company has this account")
    if row.tenant_id != tenant_id:
        WebhookInbox.objects.filter(pk=row.pk).update(tenant_id=tenant_id)
    subject = subject_of(row.type)
    if subject == "account":
        refresh_account(tenant_id=tenant_id, account_id=row.account_id, by=SYSTEM, now=now)
    elif subject is None:
        raise Parked(f"nobody handles {row.type}")
    else:
        with serving(tenant_id, now) as context:
            LOOKS[subject](context, row, now)


def _look_at_subscription(row: WebhookInbox, now: datetime) -> None:
    """Look at the company that the event's customer is; it may have become one after the event was parked."""
    tenant_id = find_tenant_of_customer(row.object_id) if row.object_id else None
    if tenant_id is None:
        raise Parked("no company is this customer")
    if row.tenant_id != tenant_id:
        WebhookInbox.objects.filter(pk=row.pk).update(tenant_id=tenant_id)
    look_at_company(tenant_id=tenant_id, now=now)


def _look_at_intent(context: TenantContext, row: WebhookInbox, now: datetime) -> None:
    settle_intent(context=context, account_id=row.account_id, intent_id=row.object_id, now=now)


def _look_at_refund(context: TenantContext, row: WebhookInbox, now: datetime) -> None:
    look_at_refund(context=context, account_id=row.account_id, refund_id=row.object_id, now=now)


def _look_at_refunds(context: TenantContext, row: WebhookInbox, now: datetime) -> None:
    adopt_refunds(context=context, intent_id=row.object_id, now=now)


def _look_at_dispute(context: TenantContext, row: WebhookInbox, now: datetime) -> None:
    look_at_dispute(context=context, account_id=row.account_id, dispute_id=row.object_id, now=now)


def _look_at_method(context: TenantContext, row: WebhookInbox, now: datetime) -> None:
    look_at_method(context=context, account_id=row.account_id, method_id=row.object_id, now=now)


def _look_at_setup(context: TenantContext, row: WebhookInbox, now: datetime) -> None:
    look_at_setup(context=context, intent_id=row.object_id, now=now)


LOOKS: dict[str, Callable[[TenantContext, WebhookInbox, datetime], None]] = {
    "intent": _look_at_intent,
    "refund": _look_at_refund,
    "refunds": _look_at_refunds,
    "dispute": _look_at_dispute,
    "method": _look_at_method,
    "setup": _look_at_setup,
}


def _finish(row: WebhookInbox, state: State, *, error: str = "", **fields: datetime) -> None:
    """Write down the end; a success that somebody else has written stays."""
    WebhookInbox.objects.filter(pk=row.pk).exclude(state=State.DONE).update(state=state, error=error[:2000], **fields)


def due_events(now: datetime) -> list[UUID]:
    """Return events that were forgotten or are due for another try; poison is left to the operators."""
    with control_scope():
        due = WebhookInbox.objects.filter(
            Q(state=State.RECEIVED) | Q(state=State.FAILED), next_at__lte=now, attempts__lt=MAX_ATTEMPTS
        )
        return list(due.order_by("next_at").values_list("pk", flat=True)[:BATCH])


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
        process_inbox.hint_after_commit(inbox_id=str(inbox_id))
