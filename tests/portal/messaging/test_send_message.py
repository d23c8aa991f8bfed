"""One event, one mail (reliability.md 4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from portal.messaging.models import OutboundMessage
from portal.messaging.services import send_message, was_sent
from portal.settings.models import CompanyProfile
from tenants.context import serving
from tests.cast import ACME

VALUES = {"heading": "Hello", "paragraphs": ["Text <b>with</b> signs & such."], "reason": "You asked."}


def send(**more: Any) -> OutboundMessage:
    values = {
        "kind": "test",
        "to": "alice@example.com",
        "language": "",
        "subject": "A\r\nBcc: mallory@example.com",
        "template": "email/base_email",
        "values": VALUES,
        "event_key": "test:1",
        "now": timezone.now(),
    }
    with serving(ACME, timezone.now()) as context:
        return send_message(context=context, **{**values, **more})


def test_an_event_is_mailed_once(acme: Any) -> None:
    first, second = send(), send()
    assert first.pk == second.pk
    assert len(mail.outbox) == 1
    assert was_sent("test:1")
    assert not was_sent("test:2")
    assert mail.outbox[0].extra_headers["Message-ID"] == f"<{first.pk}@acme.portal.localhost>"


def test_both_parts_say_the_same_and_escape_where_needed(acme: Any) -> None:
    """INJ: values are text in both parts; a subject stays one line."""
    send()
    [message] = mail.outbox
    assert "Text <b>with</b> signs & such." in message.body
    assert "Text &lt;b&gt;with&lt;/b&gt; signs &amp; such." in message.alternatives[0].content
    assert message.subject == "A Bcc: mallory@example.com"
    assert message.recipients() == ["alice@example.com"]


@pytest.mark.parametrize("template", ["email/base_email", "email/receipt", "email/staff", "signup/email/known"])
def test_every_mail_has_a_plain_twin_without_markup(acme: Any, template: str) -> None:
    """A reader without HTML gets words, not the page's source (ui.md 9)."""
    send(template=template, values={"heading": "Hello", "paragraphs": ["One line."], "reason": "You asked."})
    [message] = mail.outbox
    assert "Hello" in message.body
    assert "<" not in message.body
    assert "<html" in message.alternatives[0].content


def test_a_company_name_cannot_add_a_header(acme: Any) -> None:
    CompanyProfile.objects.update(name='Acme" <a@b>\r\nBcc: mallory@example.com')
    send()
    assert mail.outbox[0].recipients() == ["alice@example.com"]
    headers = mail.outbox[0].message()
    assert "Bcc" not in headers
    assert headers["Subject"] == "A Bcc: mallory@example.com"


def test_a_mail_that_could_not_leave_is_sent_by_the_next_try(acme: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.portal.messaging.broken_backend.Broken"
    with pytest.raises(ConnectionRefusedError):
        send()
    assert not was_sent("test:1")
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    message = send()
    assert message.sent_at is not None
    assert len(mail.outbox) == 1
