"""Sends one branded mail per event: rendered in the reader's language, kept without what signs in, sent once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import formataddr, parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.messaging.models import OutboundMessage
from portal.settings.brand import load_brand
from portal.ui.brand import BrandView
from tenants.context import TenantContext, TenantFacts

HIDDEN = _("(only in the mail itself)")


@dataclass(frozen=True, slots=True)
class Related:
    """The record a message is about, such as ("invoice", its id)."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; it is not kept with the message."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Rendered:
    subject: str
    html: str
    text: str
    kept_text: str


def was_sent(event_key: str) -> bool:
    """Whether the message of an event has left; lets a handler skip work that a second delivery would repeat."""
    return OutboundMessage.objects.filter(event_key=event_key, sent_at__isnull=False).exists()


@contextmanager
def reader_of(tenant: TenantFacts, language: str) -> Iterator[None]:
    """Format texts, dates and times inside the block as the reader of a mail expects them."""
    with translation.override(language or tenant.locale), timezone.override(tenant.zone):
        yield


def send_message(
    *,
    context: TenantContext,
    kind: str,
    to: str,
    language: str,
    subject: str | Promise,
    template: str,
    values: Mapping[str, Any],
    event_key: str,
    now: datetime,
    secrets: Mapping[str, str] | None = None,
    related: Related | None = None,
    attachments: Sequence[Attachment] = (),
) -> OutboundMessage:
    """Send the mail of one event and return its row; the same event_key is sent once.

    `template` is a name without ending, such as "email/receipt": <name>.html and <name>.txt extend email/base_email
    and get `values` plus brand and subject. `secrets` are values that sign somebody in; they are in the mail and
    nowhere else (AUN-16). Must be called outside a transaction, from an outbox handler: it talks to the mail server.
    """
    brand = load_brand(context.tenant)
    with reader_of(context.tenant, language):
        rendered = _render(template, brand, str(subject), values, secrets or {})
    message = OutboundMessage(
        kind=kind,
        to=to,
        language=language or context.tenant.locale,
        subject=rendered.subject[:300],
        text=rendered.kept_text,
        event_key=event_key,
        message_id="",
        related_kind=related.kind if related else "",
        related_id=related.id if related else None,
        created_at=now,
    )
    message.message_id = f"<{message.id}@{context.tenant.host}>"
    with transaction.atomic():
        OutboundMessage.objects.bulk_create([message], ignore_conflicts=True)
        message = OutboundMessage.objects.get(event_key=event_key)
    if message.sent_at is not None:
        return message
    mail = _make_mail(message, rendered, brand)
    for attachment in attachments:
        mail.attach(attachment.name, attachment.data, attachment.content_type)
    mail.send()
    OutboundMessage.objects.filter(pk=message.pk, sent_at__isnull=True).update(
        state=OutboundMessage.State.SENT, sent_at=now
    )
    message.state, message.sent_at = OutboundMessage.State.SENT, now
    return message


def _render(
    template: str, brand: BrandView, subject: str, values: Mapping[str, Any], secrets: Mapping[str, str]
) -> _Rendered:
    shown = {**values, "brand": brand, "subject": subject}
    full = {**shown, **secrets}
    hidden = {**shown, **{name: str(HIDDEN) for name, value in secrets.items() if value}}
    return _Rendered(
        subject=" ".join(subject.split()),
        html=render_to_string(f"{template}.html", full),
        text=_tidy(render_to_string(f"{template}.txt", full)),
        kept_text=_tidy(render_to_string(f"{template}.txt", hidden)),
    )


def _tidy(text: str) -> str:
    """Return the text with at most one empty line in a row: optional parts leave theirs behind."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def _make_mail(message: OutboundMessage, rendered: _Rendered, brand: BrandView) -> EmailMultiAlternatives:
    # The message id is that of the row: a mail that is sent twice after a crash shows as one (reliability.md 4).
    headers = {"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"}
    mail = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        from_email=formataddr((" ".join(brand.name.split()), parseaddr(settings.DEFAULT_FROM_EMAIL)[1])),
        to=[message.to],
        reply_to=[brand.email] if brand.email else [],
        headers=headers,
    )
    mail.attach_alternative(rendered.html, "text/html")
    return mail
