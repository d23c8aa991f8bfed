"""Outboxes are asked whether anything is due: often where people are at work, now and then everywhere (Decided 27)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from infra.sweeps import every
from tenants.context import IdentityMismatch, UnknownTenant, serving
from tenants.models import ControlOutbox, Tenant
from tenants.outbox import deliver_control_outbox, deliver_outbox, has_due_events
from tenants.scope import control_scope

log = logging.getLogger("porchlight.clock")

IN_USE = timedelta(minutes=10)
# A queue that is behind is not helped by more messages about the same outbox.
ASK_AGAIN = timedelta(seconds=10)
_asked: dict[UUID, datetime] = {}


@every(2)
def sweep_control_outbox(now: datetime) -> None:
    """Have the control plane's due effects delivered, here if the broker is away."""
    with control_scope():
        due = ControlOutbox.objects.filter(state__in=["waiting", "claimed"], next_at__lte=now).exists()
        if due and not deliver_control_outbox.hint():
            deliver_control_outbox()


@every(2)
def sweep_active_outboxes(now: datetime) -> None:
    """Have due effects delivered of companies that were just in use or just began."""
    _sweep(_open_tenants(last_active_at__gte=now - IN_USE), now)
    _sweep(_open_tenants(first_activated_at__gte=now - IN_USE, last_active_at=None), now)


@every(60)
def sweep_all_outboxes(now: datetime) -> None:
    """Have due effects delivered of every open company."""
    _sweep(_open_tenants(), now)


def _open_tenants(**narrower: Any) -> list[UUID]:
    with control_scope():
        found = Tenant.objects.filter(lifecycle__in=[Tenant.Lifecycle.ACTIVE, Tenant.Lifecycle.CLOSING], **narrower)
        return list(found.order_by("pk").values_list("pk", flat=True))


def _sweep(tenants: list[UUID], now: datetime) -> None:
    for tenant_id in tenants:
        if now - _asked.get(tenant_id, now - ASK_AGAIN) < ASK_AGAIN:
            continue
        try:
            with serving(tenant_id, now) as context:
                if not has_due_events(now):
                    continue
                _asked[tenant_id] = now
                if not deliver_outbox.hint_for(tenant_id):
                    deliver_outbox(context=context)
        except (UnknownTenant, IdentityMismatch):
            log.exception("a company cannot be served", extra={"tenant": str(tenant_id)})
