"""Reads a Host header once and says what it names, as a frozen value or a typed error (platform.md 3.8)."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tenants.slugs import SLUG

HostKind = Literal["apex", "console", "usercontent", "tenant"]

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f@/\\?#%,\"'<>^`{|}]")
_LABEL = re.compile(r"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


class UnknownHost(Exception):
    """The host names nothing that we serve; every cause gets the same neutral 404 (ISO-12)."""

    def __init__(self, host: str, cause: str, *, suspicious: bool = False) -> None:
        super().__init__(f"{host!r} is not served here: {cause}.")
        self.host = host
        self.cause = cause
        self.suspicious = suspicious


@dataclass(frozen=True, slots=True)
class HostNames:
    """The names this installation answers to."""

    base_domain: str
    console: str
    usercontent: str
    also_apex: frozenset[str] = frozenset()
    default_port: str = "443"


@dataclass(frozen=True, slots=True)
class Host:
    """A recognised host: what it is, its one spelling, and the slug if it is a tenant's."""

    kind: HostKind
    name: str
    slug: str | None = None
    canonical: bool = True


@lru_cache(maxsize=4_096)
def read_host(header: str, names: HostNames) -> Host:
    """Return what a Host header names; raises UnknownHost. Pure, no lookup (ISO-34, ISO-37)."""
    name, canonical = normalise(header, names.default_port)
    if name == names.base_domain or name in names.also_apex:
        return Host("apex", name, None, canonical)
    if name == names.console:
        return Host("console", name, None, canonical)
    if name == names.usercontent:
        return Host("usercontent", name, None, canonical)
    below = "." + names.base_domain
    if name.endswith(below):
        slug = name.removesuffix(below)
        if SLUG.match(slug):
            return Host("tenant", name, slug, canonical)
        raise UnknownHost(name, "no tenant can have this name")
    suspicious = names.base_domain in name
    raise UnknownHost(name, "it is not below the base domain", suspicious=suspicious)


def normalise(header: str, default_port: str) -> tuple[str, bool]:
    """Return (A-label name, whether it was spelt canonically); raises UnknownHost.

    The port that the scheme has anyway is not written in the canonical spelling.
    """
    if not header or len(header) > 260 or _FORBIDDEN.search(header):
        raise UnknownHost(header[:80], "it is malformed")
    if header.startswith("["):
        raise UnknownHost(header, "addresses are not names")
    name, _, port = header.partition(":")
    if port and not port.isdigit():
        raise UnknownHost(header, "the port is not a number")
    lowered = name.lower().removesuffix(".")
    canonical = lowered == name and port != default_port
    if not lowered.isascii():
        raise UnknownHost(header[:80], "a Host header is ASCII")
    if len(lowered) > 253 or not all(_LABEL.match(label) for label in lowered.split(".")):
        raise UnknownHost(header[:80], "it is malformed")
    try:
        ipaddress.ip_address(lowered)
    except ValueError:
        return lowered, canonical
    if lowered == "127.0.0.1":
        return lowered, canonical
    raise UnknownHost(header, "addresses are not names")
