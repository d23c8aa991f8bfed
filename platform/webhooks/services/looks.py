"""What each event asks us to look at again: account → company → the object itself, as Stripe has it now (PAY-08)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from uuid import UUID

from billing.rows import find_tenant_of_customer
from billing.services.mirror import look_at_company
from portal.methods.services.changing import look_at_method, look_at_setup
from portal.payments.services.disputes import look_at_dispute
from portal.payments.services.onboarding import refresh_account
from portal.payments.services.refunds import adopt_refunds, look_at_refund
from portal.payments.services.settle import settle_intent
from tenants.audit import SYSTEM
from tenants.context import TenantContext, serving
from tenants.payment_accounts import find_tenant_of_account
from tenants.scope import control_scope
from webhooks.events import subject_of
from webhooks.models import WebhookInbox

Rows = Sequence[WebhookInbox]


class Parked(Exception):
    """An event that a person has to look at; its sentence says why."""


class Account:
    """One account while a batch of its events is worked off: its company is found once and entered once."""

    def __init__(self, account_id: str, now: datetime) -> None:
        self.account_id = account_id
        self.now = now
        self._tenant_id: UUID | None = None
        self._context: TenantContext | None = None
        self._inside = ExitStack()

    def __enter__(self) -> Account:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._inside.__exit__(kind, error, at)

    def look(self, rows: Rows) -> None:
        """Look once for events that all ask for the same; raises Parked and whatever looking raises."""
        row = rows[0]
        if row.scope == "platform":
            _look_at_subscription(rows, self.now)
            return
        tenant_id = self._find()
        _note_tenant(rows, tenant_id)
        subject = subject_of(row.type)
        if subject == "account":
            refresh_account(tenant_id=tenant_id, account_id=row.account_id, by=SYSTEM, now=self.now)
        elif subject is None:
            raise Parked(f"nobody handles {row.type}")
        else:
            LOOKS[subject](self._enter(tenant_id), row, self.now)

    def _find(self) -> UUID:
        if self._tenant_id is None:
            self._tenant_id = find_tenant_of_account(self.account_id) if self.account_id else None
        if self._tenant_id is None:
            raise Parked("no company has this account")
        return self._tenant_id

    def _enter(self, tenant_id: UUID) -> TenantContext:
        if self._context is None:
            self._context = self._inside.enter_context(serving(tenant_id, self.now))
        return self._context


def _look_at_subscription(rows: Rows, now: datetime) -> None:
    """Look at the company that the event's customer is; it may have become one after the event was parked."""
    customer = rows[0].object_id
    tenant_id = find_tenant_of_customer(customer) if customer else None
    if tenant_id is None:
        raise Parked("no company is this customer")
    _note_tenant(rows, tenant_id)
    look_at_company(tenant_id=tenant_id, now=now)


def _note_tenant(rows: Rows, tenant_id: UUID) -> None:
    """Write down whose the events are, where that was not known when they came."""
    other = [row.pk for row in rows if row.tenant_id != tenant_id]
    if other:
        with control_scope():
            WebhookInbox.objects.filter(pk__in=other).update(tenant_id=tenant_id)


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
