"""The landing page of a mailed link: a GET shows a button, only a POST signs in (P-03, Decided 11, AUN-10…16)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.asking import asking_of, request_fresh_link
from portal.accounts.client import client_of
from portal.accounts.emails import mask_email
from portal.accounts.models import LoginToken, PortalSession
from portal.accounts.next_page import safe_next
from portal.accounts.sessions import session_of
from portal.accounts.tokens import (
    AccessEnded,
    LinkExpired,
    LinkRefused,
    LinkUsed,
    check_token,
    find_token,
    is_session_of,
    note_first_seen,
)
from portal.accounts.views import finish_sign_in, see_other, tenant_of
from tenants.config.registry import EXPIRED_LINK
from tenants.config.snapshot import Snapshot

LinkView = Callable[[HttpRequest, str], HttpResponse]


def keeps_link_private(view: LinkView) -> LinkView:
    """Keep the link out of caches and of what other pages learn (AUN-16)."""

    @wraps(view)
    def private(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response["Cache-Control"] = "no-store"
        if not response.has_header("Referrer-Policy"):
            response["Referrer-Policy"] = "no-referrer"
        return response

    return private


@require_http_methods(["GET", "HEAD", "POST"])
@keeps_link_private
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show "Continue as j•••@…"; sign in when the button is pressed."""
    row = find_token(token)
    if row is None:
        return _ended(request, None, "unknown", status=404)
    session = session_of(request, tenant_of(request).id, timezone.now())
    if request.method == "POST":
        try:
            return finish_sign_in(request, row)
        except LinkRefused as refused:
            return _explain(request, row, refused, session)
    looked = request.method == "GET" and not _is_prefetch(request)
    if looked:
        note_first_seen(row=row, client=client_of(request), now=timezone.now())
    try:
        check_token(row, timezone.now())
    except LinkRefused as refused:
        return _explain(request, row, refused, session, may_send=looked)
    return _offer(request, row, session)


@require_POST
@keeps_link_private
def send_fresh_link(request: HttpRequest, token: str) -> HttpResponse:
    """Send a new link to the address the old one was mailed to, never to another (AUN-13, AUN-14)."""
    row = find_token(token)
    if row is None:
        return _ended(request, None, "unknown", status=404)
    _ask_for_fresh(request, row)
    return _ended(request, row, "expired", resent=True)


def _offer(request: HttpRequest, row: LoginToken, session: PortalSession | None) -> HttpResponse:
    asking = asking_of(request)
    # The browser that asked has shown its wish already; any other, a mail scanner too, must press (AUN-11).
    asked_here = asking is not None and row.browser_hash is not None and bytes(row.browser_hash) == asking.browser_hash
    somebody_else = session is not None and not is_session_of(row, session)
    context = {
        "first_name": _first_name(row),
        "masked_email": mask_email(row.email),
        "signed_in_as": mask_email(session.portal_user.email) if session and somebody_else else "",
        "continues_itself": asked_here and not somebody_else and not _is_prefetch(request),
    }
    response = render(request, "accounts/link.html", context)
    # Under no-referrer browsers send the form with "Origin: null", which looks like another site's. This policy
    # hands out the host's name alone: the address with the token stays here all the same.
    response["Referrer-Policy"] = "strict-origin"
    return response


def _explain(
    request: HttpRequest,
    row: LoginToken,
    refused: LinkRefused,
    session: PortalSession | None,
    *,
    may_send: bool = True,
) -> HttpResponse:
    settings: Snapshot = request.settings  # type: ignore[attr-defined]
    if isinstance(refused, LinkUsed) and is_session_of(row, session):
        return see_other(safe_next(row.deep_link))
    if isinstance(refused, LinkUsed):
        return _ended(request, row, "used")
    if isinstance(refused, LinkExpired) and settings.get(EXPIRED_LINK) == "auto_resend":
        if may_send:
            _ask_for_fresh(request, row)
        return _ended(request, row, "expired", resent=True)
    return _ended(request, row, "revoked" if isinstance(refused, AccessEnded) else "expired")


def _ask_for_fresh(request: HttpRequest, row: LoginToken) -> None:
    request_fresh_link(row=row, language=get_language() or "", client=client_of(request), now=timezone.now())


def _ended(
    request: HttpRequest, row: LoginToken | None, reason: str, *, resent: bool = False, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "reason": reason,
        "resent": resent,
        "masked_email": mask_email(row.email) if row else "",
        "ended_on": row.expires_at if row and row.expires_at <= timezone.now() else None,
    }
    return render(request, "accounts/expired.html", context, status=status)


def _first_name(row: LoginToken) -> str:
    """Return how to greet the reader; a company's mailbox has no first name."""
    user = row.portal_user
    if user is None or user.accesses.filter(customer__kind="company").exists():
        return ""
    return user.display_name.split(" ")[0]


def _is_prefetch(request: HttpRequest) -> bool:
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" in purpose.lower()
