"""Where mail goes: an SMTP server, or a folder that the demo shows as a mailbox."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from infra.ids import uuid7


class SmtpBackend(EmailBackend):
    """Django's SMTP backend, set up from EMAIL_URL."""

    def __init__(self, fail_silently: bool = False, **kwargs: object) -> None:
        parts = urlsplit(settings.ENV.email_url)
        super().__init__(
            host=parts.hostname,
            port=parts.port,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            use_ssl=parts.scheme == "smtps",
            use_tls=parts.scheme == "smtp" and parts.hostname not in ("localhost", "127.0.0.1"),
            timeout=10,
            fail_silently=fail_silently,
        )


class MailboxBackend(BaseEmailBackend):
    """Writes each mail as one .eml file, whole or not at all."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store the messages; the newest has the highest name."""
        folder = Path(settings.MAILBOX_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            handle, draft = tempfile.mkstemp(dir=folder, suffix=".part")
            with os.fdopen(handle, "wb") as file:
                file.write(message.message().as_bytes())
            os.replace(draft, folder / f"{uuid7()}.eml")
        return len(email_messages)
