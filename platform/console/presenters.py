"""Turns what selectors found into what the console's templates print."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.presenters_billing import billing_facts
from console.presenters_settings import present_settings
from console.selectors import (
    FleetFigures,
    RunRow,
    ago,
    explain_access,
    last_events,
    run_badge,
    run_rows,
    seconds,
    tenant_badge,
)
from portal.ui.formats import format_clock, format_money, format_weekday_date
from provisioning.models import Run, Step
from tenants.models import Hold, PaymentAccount, Tenant

STEP_STATES = {"done": "done", "running": "now", "waiting": "now", "failed": "bad"}


def present_overview(figures: FleetFigures, runs: list[RunRow], stopped: Run | None, now: datetime) -> dict[str, Any]:
    """Return the context of the overview."""
    parked, events = figures.runs_parked, figures.parked_webhooks
    headline = _("Fleet is well.")
    if parked:
        headline = ngettext("Fleet is well. One run needs you.", "%(n)s runs need you.", parked) % {"n": parked}
    elif events:
        headline = ngettext("Fleet is well. One webhook needs you.", "%(n)s webhooks need you.", events) % {"n": events}
    attention = None
    if stopped:
        attention = {
            "url": reverse("console:run", args=[stopped.pk]),
            "title": _("Run %(id)s stopped at “%(step)s” for %(slug)s")
            % {"id": stopped.pk.hex[-6:], "step": stopped.current_step, "slug": stopped.tenant.slug},
            "sub": stopped.error[:200],
            "button": _("Open run"),
        }
    elif events:
        attention = {
            "url": reverse("console:webhooks"),
            "title": ngettext("One webhook is parked", "%(n)s webhooks are parked", events) % {"n": events},
            "sub": _("Nobody could act on it, and nothing happens until it is replayed."),
            "button": _("Look at the webhooks"),
        }
    webhook = figures.oldest_webhook_seconds
    return {
        "headline": headline,
        "summary": _("%(all)s companies, %(active)s active, as of %(time)s UTC")
        % {"all": figures.tenants, "active": figures.active, "time": now.strftime("%H:%M:%S")},
        "attention": attention,
        "figures": [
            {"label": _("Sign-ups today"), "value": figures.signups_today, "note": "", "tone": ""},
            {
                "label": _("Runs under way"),
                "value": figures.runs_open,
                "note": _("%(n)s done so far") % {"n": figures.runs_done},
                "tone": "",
            },
            {"label": _("Runs stopped"), "value": parked, "note": "", "tone": "bad" if parked else ""},
            {"label": _("Suspended"), "value": figures.held, "note": "", "tone": ""},
            {
                "label": _("Oldest webhook"),
                "value": seconds(webhook) if webhook is not None else "–",
                "note": _("%(n)s parked") % {"n": figures.parked_webhooks},
                "tone": "bad" if webhook and webhook > 60 else "",
            },
        ],
        "runs": runs,
        "facts_title": _("Installation"),
        "facts": [
            {"label": _("Base domain"), "value": settings.ENV.base_domain},
            {"label": _("Schemas waiting"), "value": figures.ready_slots},
            {"label": _("Release"), "value": settings.ENV.release or _("unnamed")},
        ],
    }


def present_tenant(
    found: Tenant, *, now: datetime, may_hold: bool, may_release: bool, may_extend: bool
) -> dict[str, Any]:
    """Return the context of one company's page."""
    holds = list(Hold.objects.filter(tenant=found, released_at__isnull=True).order_by("opened_at"))
    access, items = explain_access(found, now)
    account = PaymentAccount.objects.filter(tenant=found).first()
    runs = found.runs.select_related("tenant").prefetch_related("steps").order_by("-created_at")
    return {
        "tenant": {
            "id": found.pk,
            "name": found.display_name,
            "initials": "".join(word[0] for word in found.display_name.split()[:2]).upper(),
            "host": f"{found.slug}.{settings.ENV.base_domain}",
            "since": found.first_activated_at,
            "schema_name": found.schema_name or _("no schema yet"),
            "badge": tenant_badge(found, held=any(hold.kind != Hold.Kind.OFFICE for hold in holds), paused=bool(holds)),
        },
        "palette_css": "",
        "access": {"open": access.door == "open", "items": items},
        "events": [
            {
                "when": f"{format_weekday_date(event.at)}, {format_clock(event.at)}",
                "what": " ".join(filter(None, [event.action, event.target, event.reason and f"– {event.reason}"])),
                "who": event.actor_label or event.actor_kind,
            }
            for event in last_events(found)
        ],
        "facts": [
            {"label": _("Owner"), "value": _mask(found.owner_email)},
            {
                "label": _("Plan"),
                "value": f"{found.plan.name}, {format_money(found.plan.price_cents, found.plan.currency)}",
            },
            *billing_facts(found, now),
            {"label": _("Last activity"), "value": ago(found.last_active_at, now)},
            {"label": _("Time zone"), "value": found.time_zone},
            {"label": _("Settings version"), "value": found.config_version},
            {"label": _("Stripe"), "value": account.card_payments if account else _("not connected")},
        ],
        "settings": present_settings(found, now),
        "runs": run_rows(runs, now),
        "holds": holds,
        "may_hold": may_hold and found.lifecycle == Tenant.Lifecycle.ACTIVE,
        "may_release": may_release,
        "may_extend": may_extend and found.lifecycle == Tenant.Lifecycle.ACTIVE,
        "actions": [],
    }


def _mask(email: str) -> str:
    name, _at, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}"


def present_run(found: Run, *, now: datetime, may_retry: bool) -> dict[str, Any]:
    """Return the context of one run's page."""
    steps = sorted(found.steps.all(), key=lambda step: step.position)
    stopped = found.state == Run.State.PARKED
    going = found.state in Run.OPEN
    done = sum(1 for step in steps if step.state == Step.State.DONE)
    actions = []
    if stopped and may_retry:
        actions.append(
            {
                "url": reverse("console:retry", args=[found.pk]),
                "text": _("Retry from this step"),
                "icon": "refresh-cw",
                "primary": True,
                "danger": False,
                "fields": [],
            }
        )
    broken = next((step for step in steps if step.error), None)
    return {
        "run": {
            "id": found.pk,
            "title": _("Provision %(slug)s") % {"slug": found.tenant.slug},
            "badge": run_badge(found),
            "summary": _("%(done)s of %(all)s steps, started %(time)s")
            % {"done": done, "all": len(steps), "time": ago(found.created_at, now)},
            "stopped": stopped,
        },
        "steps": [_step_item(step) for step in steps],
        "known": {
            "text": found.error or broken.error.splitlines()[-1] if broken else found.error,
            "rows": [
                {"label": _("Starts"), "value": broken.starts if broken else found.starts},
                {"label": _("Company"), "value": found.tenant.display_name},
            ],
        }
        if stopped or broken
        else None,
        "log": broken.error if broken else "",
        "log_title": _("What the step said"),
        "actions": actions,
        "poll_url": reverse("console:run", args=[found.pk]) + "?part=steps" if going else "",
    }


def _step_item(step: Step) -> dict[str, Any]:
    took = ""
    if step.started_at and step.finished_at:
        took = seconds((step.finished_at - step.started_at).total_seconds())
    notes = [_("soft, does not hold up the portal")] if step.is_soft else []
    if step.starts > 1:
        notes.append(ngettext("%(n)s start", "%(n)s starts", step.starts) % {"n": step.starts})
    return {"state": STEP_STATES.get(step.state, ""), "text": step.name, "note": ", ".join(notes), "end": took}
