"""Sample contexts of the office's pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace as View
from typing import Any

from django.core.paginator import Paginator

from tests.portal.ui import forms
from tests.portal.ui.sample_data import OFFICE, VISITOR, Pages, badge, pair, step, wrong
from tests.portal.ui.samples_portal import FURNACE, HEATER, TUNEUP


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


def pages() -> Pages:
    """Return template name (with a variant after #) → context."""
    settings_form = forms.SettingsForm(initial={"invoices": True, "shown": "reviewed"})
    mapping = forms.MappingForm(initial={"c0": "name", "c1": "email"})
    return {
        "office/sign_in.html": {**VISITOR, "form": forms.StaffForm()},
        "office/set_password.html": {
            **VISITOR,
            "form": wrong(forms.StaffForm({})),
            "staff_email": "renee@acmeheating.example",
            "first_time": True,
        },
        "office/today.html": {
            **OFFICE,
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
                    step("Invite your first customers", "now", "Nobody is invited yet", url="/c", icon="mail"),
                    step("Put the link on your website", icon="share-2"),
                ],
            ),
        },
        "office/today.html#quiet": {
            **OFFICE,
            "today": date(2025, 11, 21),
            "summary": "",
            "needs": [],
            "figures": [],
        },
        "office/customers.html": {
            **OFFICE,
            "total": 1086,
            "active_count": 412,
            "chips": CHIPS,
            "page": Paginator(CUSTOMERS * 3, 10).page(1),
            "query": "f=all",
            "bulk_url": "/office/invite",
        },
        "office/customers.html#none": {**OFFICE, "total": 0, "active_count": 0},
        "office/customers.html#search": {**OFFICE, "total": 9, "active_count": 0, "search_query": "zzz"},
        "office/customer.html": {
            **OFFICE,
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
            **OFFICE,
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
            **OFFICE,
            "form": forms.UploadForm(),
            "jobs": [View(url="/j", title="customers.csv", note="Fri 21 Nov, 1,086 rows", badge=badge("Done", "ok"))],
            "max_megabytes": 20,
            "sample_urls": [View(url="/s", text="customers-example.csv")],
        },
        "office/import_mapping.html": {
            **OFFICE,
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
            **OFFICE,
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
            **OFFICE,
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
            **OFFICE,
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
            **OFFICE,
            "job": JOB,
            "state": "failed",
            "counts": COUNTS,
            "failure_text": "The file could not be read to its end. Nothing was saved.",
        },
    }
