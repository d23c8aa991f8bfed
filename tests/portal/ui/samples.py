"""One believable context per template; the gallery and the rendering tests share them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.core.paginator import Paginator

from tests.portal.ui import forms, samples_office, samples_platform, samples_portal
from tests.portal.ui.sample_data import OFFICE, VISITOR, Pages, badge, pair, step, wrong


def contexts() -> Pages:
    """Return template name (with a variant after #) → context."""
    pages: Pages = {
        **samples_portal.pages(),
        **samples_office.pages(),
        **samples_platform.pages(),
        "email/base_email.html": {
            **VISITOR,
            "subject": "Your customer portal at Acme Heating & Air",
            "preheader": "See and pay your invoices. No password needed.",
            "heading": "Hello Dana, your portal is ready",
            "paragraphs": ["See what you owe and pay it. This button signs you in. There is no password."],
            "button_url": "https://acme.portal.example/l/3hT9vK",
            "button_text": "Open your customer portal",
            "button_note": "Works until Friday 28 November. After that we send you a fresh one.",
            "code": "482 913",
            "facts": [pair("Invoice 1042", "$412.50")],
            "reason": "You get this because Renee at Acme invited dana@whitfield.example on 21 November.",
        },
        "errors/portal_off.html": {**VISITOR, "message": "We are moving house until Monday."},
        "errors/rate_limited.html": {"wait_minutes": 2},
    }
    pages["email/base_email.txt"] = pages["email/base_email.html"]
    for name in ("404", "403", "csrf", "500", "portal_off", "held", "closed", "maintenance", "rate_limited"):
        pages.setdefault(f"errors/{name}.html", {**VISITOR})
        pages[f"errors/{name}.html#bare"] = {}
    for name in ("404", "403", "500", "403_csrf"):
        pages[f"{name}.html"] = {}
    pages["ui/gallery.html"] = {
        **OFFICE,
        "good": forms.StartForm(prefix="good"),
        "bad": wrong(forms.StartForm({"bad-email": "renee@acmeheating"}, prefix="bad")),
        "code_form": forms.CodeForm(),
        "switches": forms.SettingsForm(initial={"invoices": True, "shown": "reviewed"}),
        "timeline": [*samples_platform.SETUP, step("Stopped", "bad", "Tried 4 times")],
        "kinds": ["", "ok", "info", "warn", "bad", "brand"],
        "page": Paginator(list(range(1284)), 9).page(2),
        "facts": [pair("Phone", "(614) 555-0188"), pair("E-mail", "d.whitfield@whitfield.example")],
        "some_day": date(2025, 11, 25),
        "some_moment": datetime(2025, 11, 17, 14, 10, tzinfo=UTC),
        "badge": badge("From an object", "info", "clock"),
        "steps": ["Company", "Address", "E-mail", "Ready"],
    }
    return pages
