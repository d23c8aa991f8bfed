"""Answers that know nothing: same bytes for every cause, no database, no template (ISO-12, OPS-07)."""

from typing import Final

from django.http import HttpResponse

_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<link rel="stylesheet" href="/static/ui/tokens.css"><link rel="stylesheet" href="/static/ui/components.css">
</head><body><main class="empty"><h1>{title}</h1><p>{text}</p></main></body></html>
"""


def _answer(status: int, title: str, text: str) -> HttpResponse:
    response = HttpResponse(_PAGE.format(title=title, text=text), status=status)
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; font-src 'self'"
    return response


def not_found() -> HttpResponse:
    """The one answer for unknown, reserved, never activated and deleted hosts."""
    return _answer(
        404,
        "Nothing here",
        "There is no page at this address. Check the spelling of the link you were given.",
    )


def broken() -> HttpResponse:
    """The answer for a tenant that cannot be served safely right now."""
    response = _answer(
        503, "Back in a moment", "This site cannot be shown right now. Please try again in a few minutes."
    )
    response["Retry-After"] = "60"
    return response


def forbidden_origin() -> HttpResponse:
    """The answer to a form that another site sent."""
    return _answer(403, "That came from another site", "Open the page itself and send the form from there.")
