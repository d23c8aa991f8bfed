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
        "processing_cents": 0,
        "currency": "USD",
        "status_badge": mark,
        "customer_name": "Dana Whitfield",
        "state": "due",
        "can_pay": True,
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
    badge("Processing", "info", "clock"),
    "1840 Maple Ridge Dr",
    date(2025, 10, 21),
    state="processing",
    open_cents=0,
    processing_cents=24500,
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
NOTHING = View(
    owed_cents=0,
    past_due_cents=0,
    processing_cents=0,
    currency="USD",
    open_count=0,
    unpaid_count=0,
    paid_count=0,
    paid_cents=0,
    paid_since=None,
)
BALANCE = View(
    owed_cents=60150,
    past_due_cents=41250,
    processing_cents=24500,
    currency="USD",
    open_count=2,
    unpaid_count=3,
    paid_count=24,
    paid_cents=621480,
    paid_since=date(2022, 3, 1),
)
PAGE = View(
    lines=[View(label="Diagnostic visit", cents=8900), View(label="1.5 × Labor", cents=19200)],
    totals=[View(label="Tax", cents=917)],
    settled=[View(label="Paid here", cents=-5000)],
    payments=[View(date=date(2025, 11, 9), text="Visa ending 4242", cents=5000)],
    terms="Net 10",
    po_number="",
    note="Parts are under warranty until 6 November 2026.",
)
LINKS = View(pdf_url="/1042.pdf", pay_url="/pay/1042", back_url="/invoices", sign_in_url="/in")
ACCOUNT = View(customer_id="1", customer_name="Dana Whitfield", customer_number="C-1001")


def _result(state: str, **more: Any) -> View:
    values = {
        "attempt_id": "a1",
        "state": state,
        "amount_cents": 41250,
        "currency": "USD",
        "receipt_number": "R-2025-0311",
        "paid_at": datetime(2025, 11, 21, 14, 5, tzinfo=UTC),
        "method": "Visa ending 4242",
        "invoices": (View(id="1042", number="1042", title="Furnace repair", cents=41250, url="/1042"),),
        "refunds": (),
        "still_open_cents": 0,
        "error_text": "Your bank didn’t approve this card. Nothing was charged.",
        "clears_on": date(2025, 11, 26),
        "poll_url": "",
        "pdf_url": "/1042.pdf",
        "list_url": "/invoices",
    }
    return View(**{**values, **more})


def pages() -> Pages:
    """Return template name (with a variant after #) → context."""
    return {
        "home/home.html": {
            **PORTAL,
            "greeting": "Good morning, Dana",
            "money": View(headline=FURNACE, others=[HEATER, CAPACITOR], balance=BALANCE),
            "announcement": "We’re closed Thursday 27 November for Thanksgiving. No heat? Call any time.",
            "account": ACCOUNT,
        },
        "home/home.html#nothing": {
            **PORTAL,
            "greeting": "Good morning, Dana",
            "money": View(headline=None, others=[], balance=NOTHING),
            "announcement": "",
        },
        "home/home.html#no_billing": {**PORTAL, "greeting": "Good morning", "money": None, "announcement": ""},
        "home/accounts.html": {**PORTAL, "grants": [ACCOUNT], "chosen": None},
        "invoices/list.html": {
            **PORTAL,
            "balance": BALANCE,
            "shown": "unpaid",
            "filters": [
                View(url="?show=unpaid", text="Unpaid 3", current=True),
                View(url="?show=paid", text="Paid 24", current=False),
            ],
            "sections": [
                View(title="Overdue", tone="bad", invoices=[FURNACE]),
                View(title="Due soon", tone="", invoices=[HEATER]),
                View(title="Processing", tone="", invoices=[CAPACITOR]),
            ],
            "pay_next": FURNACE,
            "page": None,
        },
        "invoices/list.html#paid": {
            **PORTAL,
            "balance": BALANCE,
            "shown": "paid",
            "sections": [View(title="Paid", tone="", invoices=[TUNEUP])],
        },
        "invoices/list.html#empty": {**PORTAL, "balance": NOTHING, "shown": "unpaid", "sections": []},
        "invoices/detail.html": {**PORTAL, "invoice": FURNACE, "page": PAGE, "links": LINKS, "how_to_pay": ""},
        "invoices/detail.html#processing": {
            **PORTAL,
            "invoice": CAPACITOR,
            "page": PAGE,
            "links": LINKS,
            "how_to_pay": "",
        },
        "invoices/detail.html#by_phone": {
            **PORTAL,
            "invoice": TUNEUP,
            "page": PAGE,
            "links": LINKS,
            "how_to_pay": "By check to the office.",
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
            "resend_form": "",
        },
        "accounts/code.html": {**VISITOR, "form": forms.MailCodeForm()},
        "accounts/link.html": {
            **VISITOR,
            "continues_itself": False,
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
