"""Strict casts from an environment variable's text to a value; each says what it expected instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent


class Expected(ValueError):
    """Raised by a cast; its text completes "expected …"."""


def as_text(raw: str) -> str:
    """Return the value without surrounding blanks."""
    return raw.strip()


def as_flag(raw: str) -> bool:
    """Return True or False for the words a person would use."""
    word = raw.strip().lower()
    if word in {"true", "yes", "on", "1"}:
        return True
    if word in {"false", "no", "off", "0"}:
        return False
    raise Expected("true or false")


def as_count(raw: str) -> int:
    """Return a whole number that is not negative."""
    if not raw.strip().isascii() or not raw.strip().isdigit():
        raise Expected("a whole number, 0 or more")
    return int(raw)


def as_positive(raw: str) -> int:
    """Return a whole number from 1."""
    if not raw.strip().isascii() or not raw.strip().isdigit() or int(raw) < 1:
        raise Expected("a whole number, 1 or more")
    return int(raw)


def as_port(raw: str) -> int:
    """Return a TCP port."""
    word = raw.strip()
    if not word.isascii() or not word.isdigit() or not 1 <= int(word) <= 65535:
        raise Expected("a port number from 1 to 65535")
    return int(word)


def as_optional_port(raw: str) -> int | None:
    """Return a TCP port, or None for an empty value."""
    return as_port(raw) if raw.strip() else None


def as_list(raw: str) -> tuple[str, ...]:
    """Return the parts of a comma-separated list, blanks removed."""
    return tuple(part.strip() for part in raw.split(",") if part.strip())


def as_host(raw: str) -> str:
    """Return a lower-case host name without scheme, port or path."""
    host = raw.strip().lower()
    if not host or not all(part and part.replace("-", "").isalnum() for part in host.split(".")):
        raise Expected("a host name without scheme, port or path, for example portal.example.com")
    return host


def as_addresses(raw: str) -> tuple[str, ...]:
    """Return one or more different addresses host:port, comma-separated."""
    addresses = as_list(raw)
    for address in addresses:
        host, _, port = address.rpartition(":")
        try:
            as_host(host)
            as_port(port)
        except Expected:
            addresses = ()
            break
    if not addresses or len(set(addresses)) < len(addresses):
        raise Expected("different addresses host:port, comma-separated, for example 127.0.0.1:8001,127.0.0.1:8002")
    return addresses


def as_path(raw: str) -> Path:
    """Return an absolute path; a relative one starts at the checkout."""
    return (ROOT / raw.strip()).resolve()


def as_secret_key(raw: str) -> str:
    """Return a key of at least 32 characters."""
    if len(raw.strip()) < 32:
        raise Expected("at least 32 random characters")
    return raw.strip()


def as_url(*schemes: str, optional: bool = True) -> Callable[[str], str]:
    """Return a cast for an address with one of these schemes."""

    def cast_url(raw: str) -> str:
        url = raw.strip()
        if not url and optional:
            return ""
        if urlsplit(url).scheme not in schemes:
            raise Expected("an address that starts with " + " or ".join(f"{scheme}://" for scheme in schemes))
        return url

    return cast_url


def as_one_of(*choices: str) -> Callable[[str], str]:
    """Return a cast for one word out of a few."""

    def cast_choice(raw: str) -> str:
        if raw.strip() not in choices:
            raise Expected("one of " + ", ".join(choices))
        return raw.strip()

    return cast_choice
