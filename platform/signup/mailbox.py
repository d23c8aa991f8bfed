"""Reads the folder into which the demo's mail goes."""

from __future__ import annotations

import email
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import UUID

NEWEST = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail of the folder."""

    name: str
    to: str
    sender: str
    subject: str
    sent_at: datetime | None
    text: str
    page: str


def newest_mails(folder: Path, *, to: str = "") -> list[Mail]:
    """Return the newest mails first, of one address if it is given."""
    names = sorted((path.name for path in folder.glob("*.eml")), reverse=True) if folder.is_dir() else []
    found = (read_mail(folder, name.removesuffix(".eml")) for name in names[:NEWEST])
    return [mail for mail in found if mail and (not to or to.lower() in mail.to.lower())]


def read_mail(folder: Path, name: str) -> Mail | None:
    """Return one mail by its number, or None."""
    try:
        number = UUID(name)
        raw = (folder / f"{number}.eml").read_bytes()
    except (ValueError, OSError):
        return None
    message = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    try:
        sent_at = parsedate_to_datetime(str(message["Date"]))
    except ValueError:
        sent_at = None
    return Mail(
        name=str(number),
        to=str(message["To"] or ""),
        sender=str(message["From"] or ""),
        subject=str(message["Subject"] or ""),
        sent_at=sent_at,
        text=_body(message, "plain"),
        page=_body(message, "html"),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""
