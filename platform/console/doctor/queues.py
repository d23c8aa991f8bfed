"""What waits to be delivered: outboxes of the control plane and of companies, the inbox of webhooks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Min, QuerySet

from console.doctor.base import Examination, Finding, check, failed, ok, some
from tenants.models import ControlOutbox, Tenant
from tenants.schema.models import OutboxEvent
from tenants.scope import control_scope, tenant_scope
from webhooks.models import WebhookInbox

# A sweep of every outbox ends within a minute; what is due for longer is not being delivered (Decided 27).
LONGEST_WAIT = timedelta(minutes=3)
IN_USE = timedelta(hours=1)
SAMPLE = 200
UNDELIVERED = ("waiting", "claimed")


def _late(rows: QuerySet[Any], now: datetime) -> timedelta | None:
    """Return how long the oldest row has been due, if that is too long."""
    oldest = rows.aggregate(oldest=Min("next_at"))["oldest"]
    return now - oldest if oldest is not None and now - oldest > LONGEST_WAIT else None


def _minutes(wait: timedelta) -> str:
    return f"{wait.total_seconds() / 60:.0f} minutes"


@check("queues.control", "platform's effects are delivered", proves="no row of the control outbox is old or dead")
def control_outbox(examination: Examination) -> Finding:
    """Look for the oldest due row, and for rows that were given up."""
    with control_scope():
        late = _late(ControlOutbox.objects.filter(state__in=UNDELIVERED), examination.now)
        dead = list(ControlOutbox.objects.filter(state="dead").order_by("created_at").values_list("topic", flat=True))
    if late:
        return failed(f"An effect of the platform is due for {_minutes(late)}. Start the provisioner and the clock.")
    if dead:
        return failed(
            f"{len(dead)} effects of the platform were given up ({some(sorted(set(dead)))}). The column error of"
            " tenants_controloutbox says why; put it right, then set their state to waiting."
        )
    return ok("Nothing is late.")


@check("queues.companies", "companies' effects are delivered", proves="no row of a company's outbox is old or dead")
def company_outboxes(examination: Examination) -> Finding:
    """Look into the outboxes of companies that were just in use (all open ones with --deep)."""
    late: list[str] = []
    dead: list[str] = []
    tenants = _companies(examination)
    for slug, tenant_id, schema in tenants:
        with tenant_scope(tenant_id, schema):
            wait = _late(OutboxEvent.objects.filter(state__in=UNDELIVERED), examination.now)
            late += [f"{slug} ({_minutes(wait)})"] if wait else []
            count = OutboxEvent.objects.filter(state="dead").count()
            dead += [f"{slug} ({count})"] if count else []
    if late:
        return failed(f"Mail and other effects are late at {some(late)}. Start the worker and the clock.")
    if dead:
        return failed(
            f"Effects were given up at {some(dead)}. The column error of core_outboxevent says why; put it right, then"
            " set their state to waiting."
        )
    which = "open companies" if examination.deep else "companies in use; --deep looks at all"
    return ok(f"Nothing is late ({len(tenants)} {which}).")


def _companies(examination: Examination) -> list[tuple[str, UUID, str]]:
    with control_scope():
        found = Tenant.objects.filter(lifecycle__in=["active", "closing"], schema_name__isnull=False)
        if not examination.deep:
            found = found.filter(last_active_at__gte=examination.now - IN_USE)
        rows = found.order_by("-last_active_at").values_list("slug", "pk", "schema_name")
        return [(slug, pk, str(schema)) for slug, pk, schema in (rows if examination.deep else rows[:SAMPLE])]


@check("queues.inbox", "webhooks are worked off", proves="no event of Stripe's is old or parked")
def inbox(examination: Examination) -> Finding:
    """Look for the oldest due event, and for events nobody could act on."""
    with control_scope():
        late = _late(WebhookInbox.objects.filter(state__in=["received", "failed"]), examination.now)
        parked = WebhookInbox.objects.filter(state="parked").count()
    if late:
        return failed(f"An event of Stripe's is due for {_minutes(late)}. Start the worker and the clock.")
    if parked:
        return failed(f"{parked} events of Stripe's are parked. The console's page of webhooks shows why.")
    return ok("Nothing is late.")
