"""Pages for what went wrong; none of them needs a database, a session or a tenant."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import is_valid_path
from django.utils.http import escape_leading_slashes

from portal.ui.context import theme_of


def render_error(
    request: HttpRequest, name: str, *, status: int, retry_after: int | None = None, **context: Any
) -> HttpResponse:
    """Answer with errors/<name>.html; `retry_after` is in seconds."""
    # No request is handed to the template: context processors could reach for a session.
    page = render_to_string(
        f"errors/{name}.html",
        {
            "brand": getattr(request, "brand", None),
            "is_ours": getattr(getattr(request, "host", None), "kind", None) in ("apex", "console"),
            "theme": theme_of(request),
            "csp_nonce": getattr(request, "csp_nonce", ""),
            **context,
        },
    )
    response = HttpResponse(page, status=status)
    response["Cache-Control"] = "no-store"
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404; what may not be seen looks exactly the same. A slash too many or too few is put right."""
    twin = request.path[:-1] if request.path.endswith("/") else f"{request.path}/"
    is_route = request.resolver_match is not None
    if request.method == "GET" and not is_route and is_valid_path(twin, getattr(request, "urlconf", None)):
        query = f"?{request.META['QUERY_STRING']}" if request.META.get("QUERY_STRING") else ""
        return HttpResponseRedirect(f"{escape_leading_slashes(twin)}{query}")
    return render_error(request, "404", status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403 to someone who is signed in but may not do this."""
    return render_error(request, "403", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500."""
    return render_error(request, "500", status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form without a valid token."""
    return render_error(request, "csrf", status=403)


def portal_off(request: HttpRequest, message: str = "") -> HttpResponse:
    """Answer 503 while the owner has switched the portal off; `message` is the owner's text."""
    return render_error(request, "portal_off", status=503, retry_after=3600, message=message)


def held(request: HttpRequest) -> HttpResponse:
    """Answer 503 while a hold keeps the portal closed."""
    return render_error(request, "held", status=503, retry_after=3600)


def closed(request: HttpRequest) -> HttpResponse:
    """Answer 410 for a portal that has been closed for good."""
    return render_error(request, "closed", status=410)


def rate_limited(request: HttpRequest, *, wait_seconds: int) -> HttpResponse:
    """Answer 429 and say when the next try is allowed."""
    return render_error(
        request,
        "rate_limited",
        status=429,
        retry_after=wait_seconds,
        wait_minutes=max(1, -(-wait_seconds // 60)),
    )
