"""Errors go to Sentry when SENTRY_DSN is set, without anything a person typed (PRIV-05)."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.django import DjangoIntegration

from infra.env import Env

_KEPT_HEADERS = frozenset({"Host", "User-Agent", "Accept-Language"})


def start_sentry(env: Env) -> None:
    """Report this process's errors; does nothing without a DSN."""
    if not env.sentry_dsn:
        return
    sentry_sdk.init(
        dsn=env.sentry_dsn,
        release=env.release or None,
        environment="demo" if env.demo else "production",
        integrations=[DjangoIntegration()],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        traces_sample_rate=0.0,
        before_send=scrub,
        before_breadcrumb=lambda crumb, hint: None,
    )


def scrub(event: Any, hint: Any = None) -> Any:
    """Take out of an event whatever could name a person or open a door: body, cookies, query, token paths."""
    request = event.get("request")
    if isinstance(request, dict):
        for name in ("data", "cookies", "query_string", "env"):
            request.pop(name, None)
        headers = request.get("headers")
        if isinstance(headers, dict):
            request["headers"] = {name: value for name, value in headers.items() if name in _KEPT_HEADERS}
        url = str(request.get("url", ""))
        request["url"] = "/".join(url.split("/")[:4])
    event.pop("user", None)
    event.pop("extra", None)
    return event


def tag(**tags: str) -> None:
    """Mark whatever is reported from here on in this request or task."""
    for name, value in tags.items():
        sentry_sdk.set_tag(name, value)
