"""Effects that must follow a change: written with it, delivered after it, at least once, by key (reliability.md 4)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from tenants.context import TenantContext
from tenants.models import ControlOutbox
from tenants.schema.models import OutboxEvent
from tenants.scope import current_scope
from tenants.tasks import control_task, tenant_task

log = logging.getLogger("porchlight.outbox")

LEASE = timedelta(seconds=90)
MAX_ATTEMPTS = 12
BATCH = 50

TenantHandler = Callable[[TenantContext, OutboxEvent], None]
ControlHandler = Callable[[ControlOutbox], None]
_tenant_handlers: dict[str, TenantHandler] = {}
_control_handlers: dict[str, ControlHandler] = {}


def handles(event_type: str) -> Callable[[TenantHandler], TenantHandler]:
    """Register the one handler of a tenant event; it must be idempotent by the event's key."""

    def register(handler: TenantHandler) -> TenantHandler:
        _tenant_handlers[event_type] = handler
        return handler

    return register


def handles_control(topic: str) -> Callable[[ControlHandler], ControlHandler]:
    """Register the one handler of a control-plane topic."""

    def register(handler: ControlHandler) -> ControlHandler:
        _control_handlers[topic] = handler
        return handler

    return register


def emit(event_type: str, *, key: str, payload: dict[str, Any], now: datetime) -> None:
    """Record an effect in the open transaction of the tenant; the same key is recorded once."""
    scope = current_scope()
    assert scope.tenant_id
    event = OutboxEvent(type=event_type, key=key, payload=payload, next_at=now, created_at=now)
    OutboxEvent.objects.bulk_create([event], ignore_conflicts=True)
    deliver_outbox.hint_after_commit(scope.tenant_id)


def emit_control(topic: str, *, key: str, payload: dict[str, Any], now: datetime, tenant_id: Any = None) -> None:
    """Record an effect in the open transaction of the control plane; the same key is recorded once."""
    row = ControlOutbox(topic=topic, key=key, payload=payload, tenant_id=tenant_id, next_at=now, created_at=now)
    ControlOutbox.objects.bulk_create([row], ignore_conflicts=True)
    deliver_control_outbox.hint_after_commit()


@tenant_task()
def deliver_outbox(*, context: TenantContext, **_: Any) -> None:
    """Deliver everything that is due in one tenant's outbox."""
    while events := claim_due(OutboxEvent, now=timezone.now()):
        for event in events:
            _deliver(event, lambda e: _tenant_handlers[e.type](context, e))


@control_task()
def deliver_control_outbox(**_: Any) -> None:
    """Deliver everything that is due in the control plane's outbox."""
    while rows := claim_due(ControlOutbox, now=timezone.now()):
        for row in rows:
            _deliver(row, lambda r: _control_handlers[r.topic](r))


def claim_due(model: Any, *, now: datetime) -> list[Any]:
    """Take due rows for the length of a lease; a worker that dies gives them back by time."""
    due = model.objects.filter(Q(state="waiting") | Q(state="claimed"), next_at__lte=now).order_by("next_at", "id")
    with transaction.atomic():
        rows = list(due.select_for_update(skip_locked=True)[:BATCH])
        model.objects.filter(pk__in=[row.pk for row in rows]).update(
            state="claimed", attempts=F("attempts") + 1, next_at=now + LEASE
        )
    for row in rows:
        row.attempts += 1
    return rows


def _deliver(row: Any, handle: Callable[[Any], None]) -> None:
    """Run one handler outside any transaction and write down what became of it."""
    try:
        handle(row)
    except Exception as error:
        log.exception("outbox delivery failed", extra={"event": str(row.pk), "attempts": row.attempts})
        dead = row.attempts >= MAX_ATTEMPTS
        wait = timedelta(seconds=min(2**row.attempts, 3600))
        type(row).objects.filter(pk=row.pk).update(
            state="dead" if dead else "waiting", next_at=timezone.now() + wait, error=repr(error)[:2000]
        )
        return
    type(row).objects.filter(pk=row.pk).update(state="done", done_at=timezone.now(), error="")


def has_due_events(now: datetime) -> bool:
    """Whether the tenant in scope has something to deliver; one index probe."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM core_outboxevent WHERE state IN ('waiting', 'claimed') AND next_at <= %s)",
            [now],
        )
        row = cursor.fetchone()
    return bool(row and row[0])
