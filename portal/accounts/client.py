"""What a request tells about the browser that sent it, for sessions, limits and the audit."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

from tenants.middleware import request_id


@dataclass(frozen=True, slots=True)
class Client:
    """The address, the program and the number of a request."""

    ip: str | None
    user_agent: str
    request_id: str


def client_of(request: HttpRequest) -> Client:
    """Return the client; its address comes from the trusted proxy hop only (AUN-20)."""
    return Client(_ip_of(request), request.META.get("HTTP_USER_AGENT", "")[:300], request_id.get())


def _ip_of(request: HttpRequest) -> str | None:
    text = request.META.get("REMOTE_ADDR", "")
    hops = settings.ENV.trusted_proxy_hops
    if hops:
        forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        text = forwarded[-hops] if len(forwarded) >= hops else text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
