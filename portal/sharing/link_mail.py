"""Mails a link: it is minted when the mail is made and stands in the mail only (AUN-16)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from portal.messaging.services import Related, send_message
from tenants.audit import Actor
from tenants.context import TenantContext
from tenants.schema.models import OutboxEvent

# Links work on the map of an open portal and on that of a closed one; both have this part.
URLS = "config.urls_office"


def write_sender(by: Actor) -> dict[str, str | None]:
    """Return who has something mailed, as an event keeps it; the mail's link names them."""
    return {"kind": by.kind, "id": str(by.id) if by.id else None, "label": by.label}


def read_sender(kept: Mapping[str, Any]) -> Actor:
    """Return whoever had something mailed."""
    return Actor(kept["kind"], UUID(kept["id"]) if kept["id"] else None, kept["label"])


def mail_link(
    *,
    context: TenantContext,
    event: OutboxEvent,
    kind: str,
    to: str,
    language: str,
    values: Mapping[str, Any],
    token: str,
    about: Related,
    now: datetime,
) -> None:
    """Send the mail of an event whose button opens a link; what is kept of the mail does not show it."""
    send_message(
        context=context,
        kind=kind,
        to=to,
        language=language,
        subject=values["subject"],
        template="email/base_email",
        values=values,
        secrets={"button_url": context.tenant.url(reverse("sharing:show", urlconf=URLS, args=[token]))},
        event_key=event.key,
        related=about,
        now=now,
    )
