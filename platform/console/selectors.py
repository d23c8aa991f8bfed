"""What the console shows: the fleet, one company, one run; read from the control plane alone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.words import say
from portal.ui.formats import format_weekday_date
from provisioning.models import Run, SchemaSlot, Step
from tenants.access import Access, Axes, decide_access
from tenants.config.explain import explain
from tenants.config.registry import PORTAL, PORTAL_ENABLED
from tenants.models import Hold, PlatformAuditEvent, Tenant
from webhooks.models import WebhookInbox

VIEWS = ("all", "new", "held", "owing", "unwell")


@dataclass(frozen=True, slots=True)
class Badge:
    """A status word with its kind and icon."""

    kind: str
    text: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class TenantRow:
    """One line of the fleet."""

    id: UUID
    name: str
    host: str
    badge: Badge
    plan: str
    schema_version: str
    last_activity: str
    health: str
    unwell: bool


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of runs."""

    url: str
    short_id: str
    tenant: str
    kind: str
    step: str
    duration: str
    badge: Badge


def find_tenants(query: str, view: str, now: datetime) -> QuerySet[Tenant]:
    """Return tenants that match a search by name, address, owner or id, in one of VIEWS."""
    is_open = Q(holds__released_at__isnull=True)
    found = Tenant.objects.select_related("plan").annotate(
        open_holds=Count("holds", filter=is_open),
        closing_holds=Count("holds", filter=is_open & ~Q(holds__kind=Hold.Kind.OFFICE)),
    )
    text = query.strip()
    if text:
        bare = text.removeprefix("https://").removeprefix("http://").split(f".{settings.ENV.base_domain}")[0]
        match = Q(display_name__icontains=text) | Q(slug__icontains=bare.lower()) | Q(owner_email__iexact=text)
        match |= Q(schema_name=text) | Q(payment_account__account_id=text)
        with suppress(ValueError):
            match |= Q(pk=UUID(text)) | Q(runs__id=UUID(text))
        found = found.filter(match).distinct()
    if view == "new":
        found = found.filter(created_at__gt=now - timedelta(days=7))
    elif view == "held":
        found = found.filter(open_holds__gt=0)
    elif view == "owing":
        found = found.filter(subscription__owing_since__isnull=False)
    elif view == "unwell":
        found = found.filter(Q(lifecycle="failed") | Q(runs__state="parked")).distinct()
    return found.order_by("-created_at")


def tenant_row(tenant: Tenant, now: datetime) -> TenantRow:
    """Shape one tenant for the list; `tenant` comes from find_tenants."""
    held = getattr(tenant, "open_holds", 0) > 0
    unwell = tenant.lifecycle == Tenant.Lifecycle.FAILED or held
    health = _("Held") if held else _("Not live") if tenant.lifecycle == "failed" else _("Well")
    if tenant.lifecycle == Tenant.Lifecycle.PROVISIONING:
        health = _("Being set up")
    return TenantRow(
        id=tenant.pk,
        name=tenant.display_name,
        host=f"{tenant.slug}.{settings.ENV.base_domain}",
        badge=tenant_badge(tenant, held=getattr(tenant, "closing_holds", 0) > 0, paused=held),
        plan=tenant.plan.name,
        schema_version=tenant.schema_release[:8] or _("none"),
        last_activity=ago(tenant.last_active_at, now),
        health=health,
        unwell=unwell,
    )


def tenant_badge(tenant: Tenant, *, held: bool, paused: bool) -> Badge:
    """Return the one word for a tenant's state: closed to everybody, or its office alone."""
    if held:
        return Badge("bad", _("Suspended"), "lock")
    if paused:
        return Badge("warn", _("Office paused"), "pause")
    words = {
        Tenant.Lifecycle.ACTIVE: Badge("ok", _("Active"), "circle-check"),
        Tenant.Lifecycle.PROVISIONING: Badge("info", _("Being set up"), "clock"),
        Tenant.Lifecycle.FAILED: Badge("bad", _("Failed"), "triangle-alert"),
        Tenant.Lifecycle.CLOSING: Badge("warn", _("Closing"), "clock"),
    }
    return words.get(Tenant.Lifecycle(tenant.lifecycle), Badge("", say(tenant.get_lifecycle_display())))


def explain_access(tenant: Tenant, now: datetime) -> tuple[Access, list[dict[str, Any]]]:
    """Return the door and every reason for it, as timeline items (explain-access)."""
    holds = list(Hold.objects.filter(tenant=tenant, released_at__isnull=True))
    flag, switch = (explain(key, tenant, now) for key in (PORTAL, PORTAL_ENABLED))
    entitled, enabled = flag.result.value, switch.result.value
    axes = Axes(
        lifecycle=tenant.lifecycle,
        was_active=tenant.first_activated_at is not None,
        has_schema=tenant.schema_name is not None,
        fingerprint=tenant.schema_fingerprint,
        holds=tuple(h.kind for h in holds),
        service_mode=tenant.service_mode,
        review=tenant.review,
        portal_entitled=entitled,
        portal_enabled=enabled,
    )
    items = [
        _reason(
            tenant.lifecycle == "active",
            _("Lifecycle is %(state)s") % {"state": say(tenant.get_lifecycle_display()).lower()},
            tenant.first_activated_at,
        )
    ]
    if holds:
        items += [
            _reason(False, _("Hold: %(kind)s") % {"kind": say(h.get_kind_display())}, h.opened_at, h.reason)
            for h in holds
        ]
    else:
        items.append(_reason(True, _("No holds")))
    items.append(
        _reason(
            entitled,
            _("Flag portal is on") if entitled else _("Flag portal is off"),
            flag.winner.set_at,
            _("set by %(who)s") % {"who": flag.winner.set_by} if flag.winner.set_by else _("no override"),
        )
    )
    items.append(
        _reason(
            enabled,
            _("Owner’s switch is on") if enabled else _("Owner’s switch is off"),
            switch.winner.set_at,
            switch.winner.set_by or _("never changed"),
        )
    )
    items.append(
        _reason(
            bool(tenant.schema_fingerprint),
            _("Schema is the release’s") if tenant.schema_fingerprint else _("There is no proven schema"),
            None,
            tenant.schema_release,
        )
    )
    return decide_access(axes), items


def _reason(good: bool, text: str, at: datetime | None = None, note: str = "") -> dict[str, Any]:
    end = format_weekday_date(at, "year") if at else ""
    return {"state": "done" if good else "bad", "text": text, "note": note, "end": end}


def last_events(tenant: Tenant, limit: int = 12) -> list[PlatformAuditEvent]:
    """Return the newest audit rows of a tenant."""
    return list(PlatformAuditEvent.objects.filter(tenant_id=tenant.pk).order_by("-at", "-id")[:limit])


def run_rows(runs: Iterable[Run], now: datetime) -> list[RunRow]:
    """Shape runs for a table; `runs` come with their tenant and steps prefetched."""
    rows = []
    for run in runs:
        steps = sorted(run.steps.all(), key=lambda s: s.position)
        done = sum(1 for step in steps if step.state == Step.State.DONE)
        end = run.finished_at or now
        rows.append(
            RunRow(
                url=reverse("console:run", args=[run.pk]),
                short_id=run.pk.hex[-6:],
                tenant=run.tenant.slug,
                kind=_("Provision"),
                step=_("%(step)s, %(done)s of %(all)s")
                % {"step": run.current_step or "–", "done": done, "all": len(steps)},
                duration=seconds((end - run.created_at).total_seconds()),
                badge=run_badge(run),
            )
        )
    return rows


def run_badge(run: Run) -> Badge:
    """Return the one word for a run's state."""
    words = {
        Run.State.QUEUED: Badge("info", _("Queued"), "clock"),
        Run.State.RUNNING: Badge("info", _("Running"), "clock"),
        Run.State.WAITING: Badge("warn", _("Waiting"), "clock"),
        Run.State.PARKED: Badge("bad", _("Stopped"), "triangle-alert"),
        Run.State.DONE: Badge("ok", _("Done"), "circle-check"),
    }
    return words.get(Run.State(run.state), Badge("", say(run.get_state_display())))


@dataclass(frozen=True, slots=True)
class FleetFigures:
    """The numbers of the first page."""

    tenants: int
    active: int
    signups_today: int
    runs_done: int
    runs_open: int
    runs_parked: int
    held: int
    oldest_webhook_seconds: float | None
    parked_webhooks: int
    ready_slots: int


def fleet_figures(now: datetime) -> FleetFigures:
    """Count what the overview shows."""
    by_state = dict(Run.objects.values_list("state").annotate(n=Count("id")))
    waiting = WebhookInbox.objects.filter(state__in=["received", "failed"]).order_by("received_at").first()
    return FleetFigures(
        tenants=Tenant.objects.count(),
        active=Tenant.objects.filter(lifecycle="active").count(),
        signups_today=Tenant.objects.filter(created_at__gt=now - timedelta(days=1)).count(),
        runs_done=by_state.get("done", 0),
        runs_open=sum(by_state.get(state, 0) for state in Run.OPEN),
        runs_parked=by_state.get("parked", 0),
        held=Hold.objects.filter(released_at__isnull=True).values("tenant").distinct().count(),
        oldest_webhook_seconds=(now - waiting.received_at).total_seconds() if waiting else None,
        parked_webhooks=WebhookInbox.objects.filter(state="parked").count(),
        ready_slots=SchemaSlot.objects.filter(state="ready").count(),
    )


_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in the largest unit."""
    if moment is None:
        return _("never")
    if now - moment < timedelta(minutes=1):
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, now, depth=1)}


def seconds(value: float) -> str:
    """Return a duration as people say it: from an hour on, in the largest unit alone."""
    if value < 60:
        return _("%(n).1f s") % {"n": value}
    if value >= 3600:
        return str(timesince(_SOME_DAY, _SOME_DAY + timedelta(seconds=value), depth=1))
    minutes = int(value // 60)
    return ngettext("%(n)s min", "%(n)s min", minutes) % {"n": minutes}
