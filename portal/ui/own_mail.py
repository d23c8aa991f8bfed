"""Mail of Porchlight itself: our own name on it, text and HTML with the same facts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from portal.ui.brand import BrandView

PORCHLIGHT = BrandView(name="Porchlight", short_name="Porchlight", initials="P")


def send(*, to: str, template: str, key: str, locale: str, context: dict[str, Any]) -> None:
    """Send one mail in the reader's language, from <template>.html and <template>.txt; a key fixes its Message-ID."""
    with translation.override(locale):
        full = {"brand": PORCHLIGHT, **context}
        subject = " ".join(str(context["subject"]).split())
        text = render_to_string(f"{template}.txt", full)
        page = render_to_string(f"{template}.html", full)
    message = EmailMultiAlternatives(
        subject,
        text.strip() + "\n",
        settings.DEFAULT_FROM_EMAIL,
        [to],
        headers={
            "Message-ID": f"<{key.replace(':', '.')}@{settings.ENV.base_domain}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(page, "text/html")
    message.send()
