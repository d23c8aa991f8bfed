"""E-mail addresses in the one spelling in which they are stored and compared (AUN-21)."""

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

_check = EmailValidator(allowlist=[])


class NoEmailAddress(ValueError):
    """The text is not a complete e-mail address."""


def normalise_email(text: str) -> str:
    """Return the address trimmed, in NFC, lower case, its domain in ASCII; raises NoEmailAddress."""
    plain = unicodedata.normalize("NFC", text.strip()).lower()
    local, at, domain = plain.rpartition("@")
    if not at or not local or not domain or len(plain) > 254:
        raise NoEmailAddress(text)
    try:
        domain = unicodedata.normalize("NFKC", domain).encode("idna").decode("ascii")
        _check(f"{local}@{domain}")
    except (UnicodeError, ValidationError) as error:
        raise NoEmailAddress(text) from error
    return f"{local}@{domain}"


def mask_email(email: str) -> str:
    """Return the address so that only its owner recognises it: j•••@example.com."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"
