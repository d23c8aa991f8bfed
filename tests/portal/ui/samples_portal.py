"""Sample contexts of the portal's pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace as View
from typing import Any

from portal.estimates.answers import AnswerForm, SignForm
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
        "parts": (View(label="Invoice 1042", title="Furnace repair", cents=41250, url="/1042"),),
        "refunds": (),
        "still_open_cents": 0,
        "error_text": "Your bank didn’t approve this card. Nothing was charged.",
        "clears_on": date(2025, 11, 26),
        "poll_url": "",
        "pdf_url": "/1042.pdf",
        "list_url": "/invoices",
    }
    return View(**{**values, **more})


PAYING = View(
    title="Furnace repair · 1840 Maple Ridge Dr",
    lines=[View(label="Invoice 1042", cents=41250)],
    back_url="/1042",
    back_text="Invoice 1042",
    portal_url="/pay/1042",
    can_pay=True,
    saved=(),
)
ROW = View(
    id="E-1001",
    number="E-1001",
    title="Replace the furnace",
    location="1840 Maple Ridge Dr",
    state="open",
    badge=badge("Waits for your answer", "brand"),
    from_cents=318000,
    is_from=True,
    currency="USD",
    note="Expires in 9 days",
    deposit_due_cents=0,
)
SUMS = View(subtotal_cents=398000, tax_cents=0, total_cents=398000, deposit_cents=119400)
BETTER = View(
    key="b",
    name="Better",
    summary="Quiet at night",
    recommended=True,
    chosen=True,
    not_chosen=False,
    ticks=[View(text="Everything in Good", is_new=False), View(text="Smart thermostat", is_new=True)],
    extras=[View(key="b4", text="Duct sealing", cents=42000, chosen=True)],
    sums=SUMS,
    base_cents=356000,
)
GOOD = View(**{**vars(BETTER), "key": "a", "name": "Good", "chosen": False, "recommended": False})
OFFER = View(
    row=ROW,
    version=2,
    summary="As discussed",
    options=[GOOD, BETTER],
    tax_bps=0,
    deposit_kind="percent",
    deposit_percent="30",
    is_older=False,
    is_open=True,
    is_newer=True,
    change_summary="Better is $120 less.",
    expires_on=date(2025, 11, 30),
    by_name="Marcus R.",
    approved=None,
)
SIGNED = View(
    **{
        **vars(OFFER),
        "is_open": False,
        "approved": View(name="Dana Whitfield", at=datetime(2025, 11, 21, 14, 5, tzinfo=UTC)),
        "deposit_cents": 119400,
        "deposit_due_cents": 119400,
        "lines": [View(text="Furnace", amount_cents=356000)],
        "sums": SUMS,
    }
)
DESK = View(
    page_url="/e/1",
    approve_url="/e/1/approve",
    answer_url="/e/1/answer",
    again_url="/again",
    pay_url="/p",
    pdf_url="/f",
)


def pages() -> Pages:
    """Return template name (with a variant after #) → context."""
    return {
        "estimates/list.html": {
            **PORTAL,
            "rows": [ROW],
            "shown": "open",
            "any": True,
            "filters": [View(url="?", text="Open 1", current=True)],
        },
        "estimates/list.html#empty": {**PORTAL, "rows": [], "shown": "open", "any": False},
        "estimates/detail.html": {**PORTAL, "page": OFFER, "estimate": ROW, "desk": DESK, "can_pay": True},
        "estimates/detail.html#expired": {
            **PORTAL,
            "page": View(**{**vars(OFFER), "is_open": False}),
            "estimate": View(**{**vars(ROW), "state": "expired"}),
            "desk": DESK,
        },
        "estimates/detail.html#approved": {**PORTAL, "page": SIGNED, "estimate": ROW, "desk": DESK, "can_pay": True},
        "estimates/approve.html": {
            **PORTAL,
            "page": OFFER,
            "estimate": ROW,
            "desk": DESK,
            "option": BETTER,
            "extras": BETTER.extras,
            "form": SignForm(),
        },
        "estimates/answer.html": {
            **PORTAL,
            "page": OFFER,
            "estimate": ROW,
            "desk": DESK,
            "kind": "decline",
            "form": AnswerForm("decline"),
        },
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
            "page": PAYING,
            "amount_cents": 41250,
            "currency": "USD",
            "client": {"key": "pk_test"},
            "error": None,
        },
        "payments/pay.html#declined": {
            **PORTAL,
            "page": PAYING,
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
