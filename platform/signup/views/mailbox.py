"""The demo's mailbox: what would have been sent, newest first; outside a demo it does not exist."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape, urlize
from django.utils.safestring import mark_safe
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from infra.texts import one_line
from signup.mailbox import newest_mails, read_mail

View = Callable[..., HttpResponse]

# A mail's page runs nothing and loads nothing; its links replace our page when somebody clicks them.
FRAMED = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-top-navigation-by-user-activation", "allow-popups"],
}


def demo_only(view: View) -> View:
    """Hide a view wherever mail is really sent."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.ENV.demo:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def _folder() -> Path:
    return Path(settings.MAILBOX_DIR)


@require_safe
@demo_only
def mailbox(request: HttpRequest) -> HttpResponse:
    """List the mails, of one address if asked."""
    to = one_line(request.GET.get("to", ""))[:254]
    mails = newest_mails(_folder(), to=to)
    return render(request, "signup/mailbox.html", {"mails": mails, "to": to})


@require_safe
@demo_only
def mail(request: HttpRequest, name: UUID) -> HttpResponse:
    """Show one mail: as a mail program shows it, and its plain text beside it."""
    found = read_mail(_folder(), str(name))
    if found is None:
        raise Http404
    text = mark_safe(urlize(escape(found.text), nofollow=True))  # noqa: S308 - escaped just before
    response = render(request, "signup/mail.html", {"mail": found, "text": text})
    response._csp_update = {"frame-src": ["'self'"]}  # type: ignore[attr-defined]
    return response


@require_safe
@demo_only
@xframe_options_sameorigin
def mail_page(request: HttpRequest, name: UUID) -> HttpResponse:
    """Serve a mail's HTML for the frame, shut in by its own policy."""
    found = read_mail(_folder(), str(name))
    if found is None or not found.page:
        raise Http404
    response = HttpResponse(found.page.replace("<head>", '<head><base target="_top">', 1))
    response._csp_config = FRAMED  # type: ignore[attr-defined]
    return response
