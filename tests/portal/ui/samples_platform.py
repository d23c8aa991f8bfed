"""Sample contexts of sign-up and console."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace as View
from typing import Any

from django.core.paginator import Paginator

from portal.ui.brand import css_variables, palette
from tests.portal.ui import forms
from tests.portal.ui.sample_data import CONSOLE, Pages, badge, pair, step, wrong

RUNS = [
    View(
        url="/console/runs/1",
        short_id="8f31c",
        tenant="northside-plumbing",
        kind="Provision",
        step="Portal answers, 10 of 12",
        duration="6 m 12 s",
        badge=badge("Failed", "bad"),
    ),
    View(
        url="/console/runs/2",
        short_id="8f31b",
        tenant="acme",
        kind="Provision",
        step="12 of 12",
        duration="12.9 s",
        badge=badge("Done", "ok"),
    ),
]


def _tenant(name: str, host: str, mark: View, **more: Any) -> View:
    values = {
        "id": host.split(".")[0],
        "name": name,
        "initials": "AH",
        "host": host,
        "since": date(2025, 3, 3),
        "schema_name": "t_9f31c2",
        "badge": mark,
        "plan": "Standard",
        "schema_version": "0412",
        "users": 412,
        "last_activity": "2 s ago",
        "health": "Well",
        "unwell": False,
    }
    return View(**{**values, **more})


ACME = _tenant("Acme Heating & Air", "acme.portal.example", badge("Active", "ok", "circle-check"))
TENANTS = [
    ACME,
    _tenant("Bright Electric", "bright-electric.portal.example", badge("Trial, day 1", "info"), users=3),
    _tenant(
        "Northside Plumbing",
        "northside-plumbing.portal.example",
        badge("Failed", "bad"),
        users=0,
        health="Not live",
        unwell=True,
    ),
]
SETUP = [
    step("Address reserved", "done", "acme.portal.example", "0.2 s"),
    step("A private home for your data", "done", "Separate from everyone else’s", "1.1 s"),
    step("Knocking on the door", "now", "We open your portal from outside, twice", "3 s"),
    step("Welcome mail", icon="mail"),
    step("Ready", icon="house"),
]
PLAN = View(name="Standard", price_cents=7900, currency="USD", trial_days=30)


def pages() -> Pages:
    """Return template name (with a variant after #) → context."""
    return {
        "signup/landing.html": {
            "plan": PLAN,
            "company_name": "",
            "demo_url": "/demo",
            "sample_palette_css": css_variables(palette("#1e5aa8"), "[data-brand]"),
        },
        "signup/start.html": {"form": wrong(forms.StartForm({"email": "renee@acmeheating"}))},
        "signup/address.html": {
            "form": forms.AddressForm(initial={"slug": "acme"}),
            "suffix": ".portal.example",
            "preview_host": "acme.portal.example",
            "status": View(
                state="free",
                text="acme.portal.example is free. We’re holding it for you for 30 minutes.",
            ),
            "alternatives": [View(url="?slug=acme-heating", text="acme-heating")],
        },
        "signup/verify.html": {
            "form": forms.CodeForm(),
            "email": "renee@acmeheating.example",
            "can_resend": True,
            "host": "acme.portal.example",
            "held_minutes": 28,
        },
        "signup/progress.html": {
            "host": "acme.portal.example",
            "email": "renee@acmeheating.example",
            "state": "running",
            "steps": SETUP,
            "poll_url": "/progress",
        },
        "signup/progress.html#ready": {
            "host": "acme.portal.example",
            "email": "renee@acmeheating.example",
            "state": "ready",
            "steps": [step(item.text, "done") for item in SETUP],
            "office_url": "https://acme.portal.example/office/",
        },
        "signup/progress.html#failed": {
            "host": "acme.portal.example",
            "email": "renee@acmeheating.example",
            "state": "failed",
            "steps": [*SETUP[:2], step("Knocking on the door", "bad", "Tried 4 times")],
            "retry_url": "/retry",
        },
        "console/sign_in.html": {"form": forms.StaffForm()},
        "console/overview.html": {
            **CONSOLE,
            "headline": "Fleet is well. One run needs you.",
            "summary": "1,284 tenants · 412,906 active customers · as of 14:05:22 UTC",
            "attention": View(
                url="/console/runs/1",
                title="Run 8f31c stopped at “Portal answers” for northside-plumbing",
                sub="4 attempts · the address is reserved",
                button="Open run",
            ),
            "figures": [
                pair("Sign-ups today", "31", "p50 13.8 s to live"),
                pair("Provisioning", "99.2 %", "1 failing, 0 stuck"),
                pair("Payments", "97.9 %", "$1.84 M today"),
                pair("Oldest webhook", "4 s", "budget 60 s"),
            ],
            "runs": RUNS,
            "facts_title": "Pool",
            "facts": [pair("Ready", "9 of 9"), pair("Oldest slot", "3 days")],
        },
        "console/tenants.html": {
            **CONSOLE,
            "summary": "1,284 total · 1,231 active",
            "chips": [View(url="?", text="All", current=True)],
            "page": Paginator(TENANTS * 4, 9).page(1),
        },
        "console/tenants.html#none": {**CONSOLE, "summary": "", "tenants": []},
        "console/tenant.html": {
            **CONSOLE,
            "tenant": ACME,
            "palette_css": css_variables(palette("#1e5aa8"), "[data-brand]"),
            "access": View(
                open=True,
                items=[
                    step("Lifecycle is active", "done", "since 3 March 2025"),
                    step("No holds", "done"),
                    step("Owner switch is on", "done"),
                ],
            ),
            "events": [View(when="14:02", what="Setting invoices.filter: none → reviewed", who="renee@…")],
            "facts": [pair("Owner", "r•••@acmeheating.example"), pair("Schema", "0412")],
            "runs": RUNS,
            "actions": [
                View(url="/s", text="Extend trial", danger=False, fields=[]),
                View(url="/s", text="Suspend…", danger=True, fields=[("why", "")]),
            ],
        },
        "console/run.html": {
            **CONSOLE,
            "run": View(
                id="1",
                title="Provision northside-plumbing",
                badge=badge("Stopped at step 10 of 12", "bad", "circle-alert"),
                summary="Run 8f31c · started 13:58:41 UTC · 4 starts",
                stopped=True,
            ),
            "steps": [
                step("1. Reserve", "done", "address held", "0.1 s"),
                step("2. Claim slot", "done", "fingerprint ok", "0.2 s"),
                step("10. Portal answers", "bad", "Wrong certificate", "4 tries"),
                step("11. Welcome mail"),
            ],
            "known": View(
                text="Retrying is safe: steps 1 to 9 are finished and will not run again.",
                rows=[pair("Address", "Reserved, cannot be lost"), pair("Money", "Nothing charged")],
            ),
            "log": "14:00:12 probe 1 edge-1 200 ok\n14:00:12 probe 1 edge-2 TLS name mismatch",
            "log_title": "Output of step 10",
            "actions": [
                View(url="/p", text="Park", primary=False, danger=False, icon="", fields=[]),
                View(
                    url="/r",
                    text="Retry from step 10",
                    primary=True,
                    danger=False,
                    icon="rotate-ccw",
                    fields=[],
                ),
            ],
        },
    }
