"""One believable context per template; the gallery and the rendering tests share them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace as View
from typing import Any

from django.core.paginator import Paginator

from portal.ui.brand import BrandView, css_variables, palette
from portal.ui.context import PersonView
from tests.portal.ui import forms

BRAND = BrandView(
    name="Acme Heating & Air",
    short_name="Acme",
    initials="AH",
    phone="(614) 555-0142",
    phone_href="tel:+16145550142",
    email="office@acmeheating.example",
    address_lines=("2210 Fisher Rd", "Columbus, OH 43204"),
    hours="Mon to Fri, 7:30 am to 5 pm",
    licence="OH-HV 48213",
    host="acme.portal.example",
    palette=palette("#1e5aa8"),
    privacy_url="/privacy",
    terms_url="/terms",
)
DANA = PersonView("Dana Whitfield", "DW", "d.whitfield@whitfield.example")
RENEE = PersonView("Renee Kowalski", "RK", "Office manager")
JONAS = PersonView("Jonas Okafor", "JO", "engineer")


def badge(text: str, kind: str = "", icon: str = "") -> View:
    return View(text=text, kind=kind, icon=icon)


def step(text: str, state: str = "", note: str = "", end: str = "", icon: str = "", url: str = "") -> View:
    return View(text=text, state=state, note=note, end=end, icon=icon, url=url)


def pair(label: str, value: Any, note: str = "", tone: str = "") -> View:
    return View(label=label, value=value, note=note, tone=tone)


def invoice(
    number: str, title: str, cents: int, mark: View, location: str, issued: date, **more: Any
) -> View:
    values = {
        "id": number,
        "number": number,
        "title": title,
        "location": location,
        "issued_on": issued,
        "due_date": date(2025, 11, 16),
        "total_cents": cents,
        "open_cents": cents,
        "paid_cents": 0,
        "currency": "USD",
        "status_badge": mark,
        "customer_name": "Dana Whitfield",
        "state": "open",
        "can_pay": True,
        "cannot_pay_reason": "",
        "note": "Parts are under warranty until 6 November 2026.",
        "url": "/office/invoices/1",
    }
    return View(**{**values, **more})


FURNACE = invoice(
    "1042",
    "Furnace repair",
    41250,
    badge("5 days overdue", "bad", "circle-alert"),
    "1840 Maple Ridge Dr",
    date(2025, 11, 6),
)
HEATER = invoice(
    "1051", "Water heater flush", 18900, badge("Due Wed 3 Dec"), "77 Lakeshore Ct", date(2025, 11, 12)
)
CAPACITOR = invoice(
    "1033",
    "AC capacitor",
    24500,
    badge("Clears by Wed 26 Nov", "info"),
    "1840 Maple Ridge Dr",
    date(2025, 10, 21),
    state="processing",
    can_pay=False,
)
TUNEUP = invoice(
    "0987",
    "Spring tune-up",
    14900,
    badge("Paid 14 May", "ok"),
    "1840 Maple Ridge Dr",
    date(2025, 5, 14),
    open_cents=0,
    paid_cents=14900,
    state="paid",
    can_pay=False,
)
BALANCE = View(owed_cents=60150, past_due_cents=41250, processing_cents=24500, currency="USD")


def _result(state: str, **more: Any) -> View:
    values = {
        "attempt_id": "a1",
        "state": state,
        "amount_cents": 41250,
        "currency": "USD",
        "receipt_number": "R-2025-0311",
        "paid_at": datetime(2025, 11, 21, 14, 5, tzinfo=UTC),
        "method": "Visa ending 4242",
        "invoice_id": "1042",
        "invoice_number": "1042",
        "invoice_title": "Furnace repair",
        "still_open_cents": 0,
        "error_text": "Your bank didn’t approve this card. Nothing was charged.",
        "clears_on": date(2025, 11, 26),
        "poll_url": "",
    }
    return View(**{**values, **more})


def _customer(name: str, email: str, location: str, cents: int, **more: Any) -> View:
    values = {
        "id": name[:4],
        "name": name,
        "email": email,
        "location": location,
        "more_locations": 0,
        "balance_cents": cents,
        "past_due": False,
        "currency": "USD",
        "portal_badge": None,
        "portal_text": "",
        "last_sign_in": "",
        "selected": False,
    }
    return View(**{**values, **more})


CUSTOMERS = [
    _customer(
        "Dana Whitfield",
        "d.whitfield@whitfield.example",
        "1840 Maple Ridge Dr",
        60150,
        more_locations=1,
        past_due=True,
        portal_badge=badge("Active", "ok", "circle-check"),
        last_sign_in="Today, 7:58 am",
    ),
    _customer("Tom and Lia Brandt", "tbrandt@brandt.example", "233 Olentangy St", 0, selected=True),
    _customer(
        "Harmon Dental",
        "billing@harmondental.example",
        "18 Gay St, Suite 2",
        124000,
        past_due=True,
        portal_badge=badge("Invited 12 Nov", "info"),
    ),
    _customer("Ruth Okoro", "", "975 Dublin Rd", 0),
    _customer(
        "Ana Morales",
        "ana.m@gmial.example",
        "61 Eddy Ct",
        8900,
        portal_badge=badge("Bounced 14 Nov", "bad", "circle-alert"),
    ),
]
CHIPS = [
    View(url="?", text="All", current=True),
    View(url="?f=new", text="Has e-mail, not invited · 318", current=False),
    View(url="?f=active", text="Active · 412", current=False),
]
JOB = View(
    id="j1",
    filename="customers.csv",
    kind="customers",
    row_count=1092,
    finished_at=datetime(2025, 11, 21, 14, 5, tzinfo=UTC),
)
PROBLEMS = [
    View(row=14, column="E-mail", value="renee@acme", text="This is not a complete e-mail address."),
    View(row=220, column="Name", value="", text="The name is missing."),
]
COUNTS = [
    pair("New customers", "1,086"),
    pair("Unchanged", "4", "Same as in Porchlight"),
    pair("Left out", "2", "See below", "bad"),
]
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


def _wrong(form: Any) -> Any:
    form.is_valid()
    return form


def contexts() -> dict[str, dict[str, Any]]:
    """Return template name (with a variant after #) → context."""
    settings_form = forms.SettingsForm(initial={"invoices": True, "shown": "reviewed"})
    mapping = forms.MappingForm(initial={"c0": "name", "c1": "email"})
    portal = {"brand": BRAND, "person": DANA}
    visitor = {"brand": BRAND}
    office = {"brand": BRAND, "person": RENEE}
    console = {"person": JONAS, "environment": "Production", "release": "2025.47.2"}
    pages: dict[str, dict[str, Any]] = {
        "home/home.html": {
            **portal,
            "greeting": "Good morning, Dana",
            "headline": FURNACE,
            "invoices": [HEATER, CAPACITOR],
            "balance": BALANCE,
            "announcement": "We’re closed Thursday 27 November for Thanksgiving. No heat? Call any time.",
        },
        "home/home.html#nothing": {
            **portal,
            "greeting": "Good morning, Dana",
            "headline": None,
            "invoices": [],
            "balance": View(owed_cents=0, past_due_cents=0, processing_cents=0, currency="USD"),
            "announcement": "",
        },
        "invoices/list.html": {
            **portal,
            "balance": BALANCE,
            "filters": [
                View(url="?", text="Unpaid 3", current=True),
                View(url="?f=paid", text="Paid 24", current=False),
            ],
            "sections": [
                View(title="Overdue", tone="bad", invoices=[FURNACE]),
                View(title="Due soon", tone="", invoices=[HEATER]),
                View(title="Processing", tone="", invoices=[CAPACITOR]),
            ],
            "paid": View(invoices=[TUNEUP], total_cents=621480, count=24, since=date(2022, 3, 1)),
            "pay_next": FURNACE,
            "page": None,
        },
        "invoices/list.html#empty": {
            **portal,
            "balance": View(owed_cents=0, past_due_cents=0, processing_cents=0, currency="USD"),
            "sections": [],
        },
        "invoices/detail.html": {
            **portal,
            "invoice": FURNACE,
            "lines": [
                View(label="Diagnostic visit", cents=8900),
                View(label="Labor, 1.5 hours", cents=19200),
            ],
            "totals": [View(label="Sales tax on parts, 7.5 %", cents=917)],
            "payments": [View(date=date(2025, 11, 9), text="Visa ending 4242", cents=5000, url="/r/1")],
        },
        "invoices/detail.html#void": {
            **portal,
            "invoice": invoice(
                "1000", "Old", 100, badge("Withdrawn"), "", date(2025, 1, 1), state="void", can_pay=False
            ),
            "lines": [],
        },
        "payments/pay.html": {
            **portal,
            "invoice": FURNACE,
            "amount_cents": 41250,
            "currency": "USD",
            "client": {"key": "pk_test"},
            "error": None,
        },
        "payments/pay.html#declined": {
            **portal,
            "invoice": FURNACE,
            "amount_cents": 41250,
            "currency": "USD",
            "client": {},
            "error": View(
                title="Your bank didn’t approve this card",
                text="Nothing was charged. Try another card or call",
            ),
        },
        "payments/result.html": {**portal, "result": _result("succeeded")},
        "payments/result.html#processing": {**portal, "result": _result("processing")},
        "payments/result.html#checking": {**portal, "result": _result("checking", poll_url="/p")},
        "payments/result.html#failed": {**portal, "result": _result("failed")},
        "accounts/sign_in.html": {
            **visitor,
            "form": forms.MailForm(),
            "link_minutes": 60,
            "code_url": "/code",
        },
        "accounts/sign_in.html#wrong": {
            **visitor,
            "form": _wrong(forms.MailForm({"email": "dana@"})),
            "link_minutes": 60,
        },
        "accounts/check_mail.html": {
            **visitor,
            "form": forms.CodeForm(),
            "masked_email": "d•••@whitfield.example",
            "resend_seconds": 30,
        },
        "accounts/link.html": {
            **visitor,
            "form": forms.KeepForm(),
            "first_name": "Dana",
            "masked_email": "d•••@whitfield.example",
            "signed_in_as": "s•••@whitfield.example",
        },
        "accounts/expired.html": {
            **visitor,
            "reason": "expired",
            "resent": True,
            "masked_email": "d•••@whitfield.example",
            "ended_on": date(2025, 11, 14),
        },
        "accounts/expired.html#used": {**visitor, "reason": "used", "masked_email": "d•••@whitfield.example"},
        "accounts/expired.html#revoked": {**visitor, "reason": "revoked"},
        "accounts/expired.html#unknown": {**visitor, "reason": "unknown"},
        "office/sign_in.html": {**visitor, "form": forms.StaffForm()},
        "office/set_password.html": {
            **visitor,
            "form": _wrong(forms.StaffForm({})),
            "staff_email": "renee@acmeheating.example",
            "first_time": True,
        },
        "office/today.html": {
            **office,
            "today": date(2025, 11, 21),
            "summary": "Two things are waiting.",
            "needs": [
                View(
                    url="/x",
                    icon="credit-card",
                    tone="bad",
                    title="Payment failed for Harmon Dental, $1,240.00",
                    sub="Card expired",
                    badge=badge("Payment failed", "bad"),
                    when="6:05 am",
                ),
                View(
                    url="/x",
                    icon="mail",
                    tone="",
                    title="3 invitations came back",
                    sub="gmial.com and one full mailbox",
                    badge=badge("Bounced", "bad"),
                    when="Yesterday",
                ),
            ],
            "figures": [
                pair("Paid online", "$18,420", "61 % of all"),
                pair("Active customers", "412", "up 19"),
            ],
            "setup": View(
                done=2,
                total=4,
                items=[
                    step("Payments connected", "done"),
                    step("1,086 customers imported", "done"),
                    step(
                        "Invite your first customers", "now", "Nobody is invited yet", url="/c", icon="mail"
                    ),
                    step("Put the link on your website", icon="share-2"),
                ],
            ),
        },
        "office/today.html#quiet": {
            **office,
            "today": date(2025, 11, 21),
            "summary": "",
            "needs": [],
            "figures": [],
        },
        "office/customers.html": {
            **office,
            "total": 1086,
            "active_count": 412,
            "chips": CHIPS,
            "page": Paginator(CUSTOMERS * 3, 10).page(1),
            "query": "f=all",
            "bulk_url": "/office/invite",
        },
        "office/customers.html#none": {**office, "total": 0, "active_count": 0},
        "office/customers.html#search": {**office, "total": 9, "active_count": 0, "search_query": "zzz"},
        "office/customer.html": {
            **office,
            "customer": View(
                id="c1",
                name="Dana Whitfield",
                initials="DW",
                since=date(2022, 3, 1),
                phone="(614) 555-0188",
                phone_href="tel:+16145550188",
                email="d.whitfield@whitfield.example",
                language="English",
                balance_cents=60150,
                past_due_cents=41250,
                currency="USD",
            ),
            "locations": [
                View(title="1840 Maple Ridge Dr", note="Columbus, OH"),
                View(title="77 Lakeshore Ct", note=""),
            ],
            "invoices": [FURNACE, HEATER, TUNEUP],
            "contacts": [
                View(
                    id="1",
                    email="d.whitfield@whitfield.example",
                    name="Dana, owner",
                    status_badge=badge("Active", "ok", "circle-check"),
                    status_note="Last sign-in today, 7:58 am",
                    level="Billing",
                    actions=[View(url="/a", text="Send sign-in link", icon="mail", danger=False, fields=[])],
                ),
                View(
                    id="2",
                    email="sam.whitfield@whitfield.example",
                    name="Sam",
                    status_badge=badge("Invited", "info"),
                    status_note="Mon 17 Nov, 2:10 pm",
                    level="Billing",
                    actions=[
                        View(url="/a", text="Resend", icon="", danger=False, fields=[("contact", "2")]),
                        View(url="/b", text="Revoke…", icon="", danger=True, fields=[]),
                    ],
                ),
                View(
                    id="3",
                    email="accounts@whitfield.example",
                    name="",
                    status_badge=None,
                    status_note="",
                    level="",
                    actions=[],
                ),
            ],
            "invite_form": forms.MailForm(),
            "activity": [
                step("Opened invoice 1042", note="Third time", end="7:59 am", icon="eye"),
                step("Signed in with a link", end="7:58 am", icon="key-round"),
            ],
            "copied_link": "https://acme.portal.example/l/3hT9vK",
        },
        "office/settings.html": {
            **office,
            "groups": [
                View(url="?g=see", text="What customers see", current=True),
                View(url="?g=brand", text="Brand and texts", current=False),
            ],
            "form": settings_form,
            "sections": [
                View(
                    id="see",
                    title="What customers see",
                    hint="",
                    fields=[settings_form["invoices"], settings_form["pay"]],
                ),
                View(
                    id="inv",
                    title="Invoices",
                    hint="Drafts never show.",
                    fields=[settings_form["shown"], settings_form["message"]],
                ),
            ],
            "impact": View(
                strong="12 customers stop seeing 14 invoices",
                text="worth $2,906.00 until you review them.",
                list_url="/list",
                changes=1,
            ),
            "portal_on": True,
            "on_since": date(2025, 3, 3),
            "preview_url": "/preview",
            "preview_as": "Dana Whitfield",
        },
        "office/import_upload.html": {
            **office,
            "form": forms.UploadForm(),
            "jobs": [
                View(
                    url="/j", title="customers.csv", note="Fri 21 Nov, 1,086 rows", badge=badge("Done", "ok")
                )
            ],
            "max_megabytes": 20,
            "sample_urls": [View(url="/s", text="customers-example.csv")],
        },
        "office/import_mapping.html": {
            **office,
            "job": JOB,
            "form": mapping,
            "missing": ["Invoice number"],
            "columns": [
                View(field=mapping["c0"], header="Kunde", samples=["Dana Whitfield", "Ruth Okoro"], note=""),
                View(
                    field=mapping["c1"],
                    header="Mail",
                    samples=["dana@whitfield.example"],
                    note="Matched by its values",
                ),
            ],
        },
        "office/import_preview.html": {
            **office,
            "job": JOB,
            "counts": COUNTS,
            "problems": PROBLEMS,
            "more_problems": 3,
            "sample_headers": ["Name", "E-mail"],
            "sample_rows": [["Dana Whitfield", "dana@whitfield.example"]],
            "can_run": True,
            "run_label": "Import 1,086 customers",
            "errors_url": "/e",
        },
        "office/import_progress.html": {
            **office,
            "job": JOB,
            "poll_url": "/p",
            "progress": View(
                done=410,
                total=1092,
                text="Writing customers",
                steps=[step("File read", "done"), step("Customers", "now"), step("Addresses")],
            ),
        },
        "office/import_report.html": {
            **office,
            "job": JOB,
            "state": "done",
            "counts": COUNTS,
            "problems": PROBLEMS,
            "more_problems": 0,
            "errors_url": "/e",
            "next_url": "/office/customers",
            "next_label": "Invite customers",
        },
        "office/import_report.html#failed": {
            **office,
            "job": JOB,
            "state": "failed",
            "counts": COUNTS,
            "failure_text": "The file could not be read to its end. Nothing was saved.",
        },
        "signup/landing.html": {
            "plan": PLAN,
            "company_name": "",
            "demo_url": "/demo",
            "sample_palette_css": css_variables(palette("#1e5aa8"), "[data-brand]"),
        },
        "signup/start.html": {"form": _wrong(forms.StartForm({"email": "renee@acmeheating"}))},
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
            **console,
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
            **console,
            "summary": "1,284 total · 1,231 active",
            "chips": CHIPS,
            "page": Paginator(TENANTS * 4, 9).page(1),
        },
        "console/tenants.html#none": {**console, "summary": "", "tenants": []},
        "console/tenant.html": {
            **console,
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
            **console,
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
        "email/base_email.html": {
            **visitor,
            "subject": "Your customer portal at Acme Heating & Air",
            "preheader": "See and pay your invoices. No password needed.",
            "heading": "Hello Dana, your portal is ready",
            "paragraphs": ["See what you owe and pay it. This button signs you in. There is no password."],
            "button_url": "https://acme.portal.example/l/3hT9vK",
            "button_text": "Open your customer portal",
            "button_note": "Works until Friday 28 November. After that we send you a fresh one.",
            "code": "482 913",
            "facts": [pair("Invoice 1042", "$412.50")],
            "reason": "You get this because Renee at Acme invited d.whitfield@whitfield.example on 21 November.",
        },
        "errors/portal_off.html": {**visitor, "message": "We are moving house until Monday."},
        "errors/rate_limited.html": {"wait_minutes": 2},
    }
    pages["email/base_email.txt"] = pages["email/base_email.html"]
    for name in ("404", "403", "csrf", "500", "portal_off", "held", "closed", "rate_limited"):
        pages.setdefault(f"errors/{name}.html", {**visitor})
        pages[f"errors/{name}.html#bare"] = {}
    for name in ("404", "403", "500", "403_csrf"):
        pages[f"{name}.html"] = {}
    pages["ui/gallery.html"] = {
        **office,
        "good": forms.StartForm(),
        "bad": _wrong(forms.StartForm({"email": "renee@acmeheating"})),
        "code_form": forms.CodeForm(),
        "switches": settings_form,
        "timeline": [*SETUP, step("Stopped", "bad", "Tried 4 times")],
        "kinds": ["", "ok", "info", "warn", "bad", "brand"],
        "page": Paginator(list(range(1284)), 9).page(2),
        "facts": [pair("Phone", "(614) 555-0188"), pair("E-mail", "d.whitfield@whitfield.example")],
        "some_day": date(2025, 11, 25),
        "some_moment": datetime(2025, 11, 17, 14, 10, tzinfo=UTC),
        "badge": badge("From an object", "info", "clock"),
        "steps": ["Company", "Address", "E-mail", "Ready"],
    }
    return pages
