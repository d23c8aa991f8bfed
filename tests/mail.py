"""Reads the mails that the product kept instead of sending them."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from pathlib import Path

_LINK = re.compile(r"https?://[^\s<>\"']+")
_CODE = re.compile(r"(?m)^\s*([0-9A-Z]{3,5}(?:[ -][0-9A-Z]{3,5})?|[0-9]{6,8})\s*$")


@dataclass(frozen=True)
class Mail:
    """One mail as its reader sees it."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]

    @property
    def links(self) -> list[str]:
        """Every address in the plain text, in order."""
        return [link.rstrip(".,") for link in _LINK.findall(self.text)]

    @property
    def code(self) -> str:
        """The code that stands on a line of its own; empty when there is none."""
        found = [code for code in _CODE.findall(self.text) if any(sign.isdigit() for sign in code)]
        return found[0] if found else ""

    def link(self, part: str) -> str:
        """Return the first address that contains `part`; raises AssertionError."""
        for link in self.links:
            if part in link:
                return link
        raise AssertionError(f"No link with {part!r} in {self.links}")


def read_mail(path: Path) -> Mail:
    """Parse one .eml file."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    bodies = {kind: message.get_body((kind,)) for kind in ("plain", "html")}
    return Mail(
        to=str(message["To"]),
        sender=str(message["From"]),
        subject=str(message["Subject"]),
        text=bodies["plain"].get_content() if bodies["plain"] else "",
        html=bodies["html"].get_content() if bodies["html"] else "",
        headers={name: str(value) for name, value in message.items()},
    )


def read_mailbox(folder: Path) -> list[Mail]:
    """Parse every mail of a folder, oldest first: the names are ordered by time."""
    return [read_mail(path) for path in sorted(folder.glob("*.eml"))]
