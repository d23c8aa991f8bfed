"""Lets exactly the payment pages talk to Stripe; everywhere else its origins stay forbidden (PAY-02)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def origins() -> list[str]:
    """Return where the configured Stripe serves its script, its frames and its API."""
    env = settings.ENV
    if not env.stripe_api_base:
        return ["https://*.stripe.com"]
    found = {_origin(url) for url in (env.stripe_js_url, env.stripe_element_origin, env.stripe_api_base)}
    return sorted(found)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def with_card_form(view: View[P]) -> View[P]:
    """Allow Stripe's script, frames and calls on this page."""

    @wraps(view)
    def allowed(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        found = origins()
        more = {"script-src": found, "frame-src": found, "connect-src": found}
        return _updated(view, more, request, *args, **kwargs)

    return allowed


def with_onboarding(view: View[P]) -> View[P]:
    """Allow a form of this page to end on Stripe's own pages: browsers check the redirect after a POST too."""

    @wraps(view)
    def allowed(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return _updated(view, {"form-action": origins()}, request, *args, **kwargs)

    return allowed


def _updated(view: Any, more: dict[str, list[str]], *args: Any, **kwargs: Any) -> HttpResponseBase:
    # The origins come from the environment, so the decorator is made anew for each answer.
    response: HttpResponseBase = csp_update(more)(view)(*args, **kwargs)
    return response
