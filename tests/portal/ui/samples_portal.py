"""Sample contexts of the portal's pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace as View
from typing import Any

from tests.portal.ui import forms
from tests.portal.ui.sample_data import PORTAL, VISITOR, Pages, badge, wrong


def invoice(number: str, title: str, cents: int, mark: View, location: str, issued: date, **more: Any) -> View:
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
HEATER = invoice("1051", "Water heater flush", 18900, badge("Due Wed 3 Dec"), "77 Lakeshore Ct", date(2025, 11, 12))
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


def pages() -> Pages:
    """Return template name (with a variant after #) → context."""
    return {
        "home/home.html": {
            **PORTAL,
            "greeting": "Good morning, Dana",
            "headline": FURNACE,
            "invoices": [HEATER, CAPACITOR],
            "balance": BALANCE,
            "announcement": "We’re closed Thursday 27 November for Thanksgiving. No heat? Call any time.",
        },
        "home/home.html#nothing": {
            **PORTAL,
            "greeting": "Good morning, Dana",
            "headline": None,
            "invoices": [],
            "balance": View(owed_cents=0, past_due_cents=0, processing_cents=0, currency="USD"),
            "announcement": "",
        },
        "invoices/list.html": {
            **PORTAL,
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
            **PORTAL,
            "balance": View(owed_cents=0, past_due_cents=0, processing_cents=0, currency="USD"),
            "sections": [],
        },
        "invoices/detail.html": {
            **PORTAL,
            "invoice": FURNACE,
            "lines": [
                View(label="Diagnostic visit", cents=8900),
                View(label="Labor, 1.5 hours", cents=19200),
            ],
            "totals": [View(label="Sales tax on parts, 7.5 %", cents=917)],
            "payments": [View(date=date(2025, 11, 9), text="Visa ending 4242", cents=5000, url="/r/1")],
        },
        "invoices/detail.html#void": {
            **PORTAL,
            "invoice": invoice(
                "1000", "Old", 100, badge("Withdrawn"), "", date(2025, 1, 1), state="void", can_pay=False
            ),
            "lines": [],
        },
        "payments/pay.html": {
            **PORTAL,
            "invoice": FURNACE,
            "amount_cents": 41250,
            "currency": "USD",
            "client": {"key": "pk_test"},
            "error": None,
        },
        "payments/pay.html#declined": {
            **PORTAL,
            "invoice": FURNACE,
            "amount_cents": 41250,
            "currency": "USD",
            "client": {},
            "error": View(
                title="Your bank didn’t approve this card",
                text="Nothing was charged. Try another card or call",
            ),
        },
        "payments/result.html": {**PORTAL, "result": _result("succeeded")},
        "payments/result.html#processing": {**PORTAL, "result": _result("processing")},
        "payments/result.html#checking": {**PORTAL, "result": _result("checking", poll_url="/p")},
        "payments/result.html#failed": {**PORTAL, "result": _result("failed")},
        "accounts/sign_in.html": {
            **VISITOR,
            "form": forms.MailForm(),
            "link_minutes": 60,
            "code_url": "/code",
        },
        "accounts/sign_in.html#wrong": {
            **VISITOR,
            "form": wrong(forms.MailForm({"email": "dana@"})),
            "link_minutes": 60,
        },
        "accounts/check_mail.html": {
            **VISITOR,
            "form": forms.CodeForm(),
            "masked_email": "d•••@whitfield.example",
            "resend_seconds": 30,
        },
        "accounts/link.html": {
            **VISITOR,
            "form": forms.KeepForm(),
            "first_name": "Dana",
            "masked_email": "d•••@whitfield.example",
            "signed_in_as": "s•••@whitfield.example",
        },
        "accounts/expired.html": {
            **VISITOR,
            "reason": "expired",
            "resent": True,
            "masked_email": "d•••@whitfield.example",
            "ended_on": date(2025, 11, 14),
        },
        "accounts/expired.html#used": {**VISITOR, "reason": "used", "masked_email": "d•••@whitfield.example"},
        "accounts/expired.html#revoked": {**VISITOR, "reason": "revoked"},
        "accounts/expired.html#unknown": {**VISITOR, "reason": "unknown"},
    }
