"""Asking for a sign-in link, typing its code, signing out (P-01, P-02)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.asking import (
    TooManyRequests,
    asking_of,
    count_code_try,
    forget_asking,
    new_asking,
    remember_asking,
    request_link,
)
from portal.accounts.client import client_of
from portal.accounts.emails import mask_email
from portal.accounts.forms import AddressCodeForm, AddressForm, AgainForm, CodeForm
from portal.accounts.guards import find_viewer
from portal.accounts.models import LoginToken
from portal.accounts.next_page import safe_next
from portal.accounts.sessions import clear_cookie, end_session, session_of, set_cookie
from portal.accounts.tokens import LinkRefused, consume_token, find_token_by_code
from portal.ui import errors
from tenants.config.registry import REQUESTED_LINK_MINUTES
from tenants.config.snapshot import Snapshot
from tenants.context import TenantFacts

require_form = require_http_methods(["GET", "HEAD", "POST"])


def tenant_of(request: HttpRequest) -> TenantFacts:
    """Return the company whose host this is."""
    tenant: TenantFacts = request.tenant  # type: ignore[attr-defined]
    return tenant


@require_form
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for an address and answer the same whatever it is (AUTH-02, AUN-17)."""
    settings: Snapshot = request.settings  # type: ignore[attr-defined]
    if request.method != "POST":
        wanted = safe_next(request.GET.get("next", ""))
        if find_viewer(request) is not None:
            return HttpResponseRedirect(wanted)
        form = AddressForm(initial={"next": wanted})
    else:
        form = AddressForm(request.POST)
        if form.is_valid():
            return _ask(request, form.cleaned_data["email"], form.cleaned_data["next"])
    context = {
        "form": form,
        "code_url": reverse("accounts:code"),
        "link_minutes": settings.get(REQUESTED_LINK_MINUTES),
    }
    return render(request, "accounts/sign_in.html", context, status=422 if form.errors else 200)


def _ask(request: HttpRequest, email: str, next_page: str) -> HttpResponse:
    asking = new_asking(request, email)
    try:
        request_link(
            email=email,
            asking=asking,
            next_page=next_page,
            language=get_language() or "",
            client=client_of(request),
            now=timezone.now(),
        )
    except TooManyRequests as error:
        return errors.rate_limited(request, wait_seconds=error.wait_seconds)
    response = see_other(reverse("accounts:check_mail"))
    remember_asking(request, response, asking)
    return response


@require_form
def check_mail(request: HttpRequest) -> HttpResponse:
    """Say where to look and take the code of the mail, in the browser that asked (P-02, AUN-28)."""
    asking = asking_of(request)
    if asking is None:
        return see_other(reverse("accounts:sign_in"))
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        answer = _try_code(request, form, browser_hash=asking.browser_hash, email="")
        if answer is not None:
            return answer
    context = {
        "form": form,
        "masked_email": mask_email(asking.email),
        "resend_form": AgainForm(initial={"email": asking.email}),
    }
    return render(request, "accounts/check_mail.html", context, status=422 if form.errors else 200)


@require_form
def enter_code(request: HttpRequest) -> HttpResponse:
    """Take the code of an invitation together with its address (Decided 26)."""
    asking = asking_of(request)
    form = AddressCodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        email = form.cleaned_data["email"]
        browser = asking.browser_hash if asking and asking.email == email else None
        answer = _try_code(request, form, browser_hash=browser, email=email)
        if answer is not None:
            return answer
    return render(request, "accounts/code.html", {"form": form}, status=422 if form.errors else 200)


def _try_code(request: HttpRequest, form: CodeForm, *, browser_hash: bytes | None, email: str) -> HttpResponse | None:
    """Return the answer of a code that signs in or of too many tries; None leaves the form with its error."""
    now = timezone.now()
    try:
        count_code_try(client=client_of(request), now=now)
    except TooManyRequests as error:
        return errors.rate_limited(request, wait_seconds=error.wait_seconds)
    row = find_token_by_code(code=form.cleaned_data["code"], browser_hash=browser_hash, email=email, now=now)
    if row is not None:
        try:
            return finish_sign_in(request, row)
        except LinkRefused:
            row = None
    form.add_error("code", _("That code isn’t right, or it has ended. Check it, or ask for a new mail."))
    return None


def finish_sign_in(request: HttpRequest, row: LoginToken) -> HttpResponse:
    """Begin the session a link or code is good for and go where its reader wanted; raises LinkRefused.

    Whoever was signed in on this browser before is signed out (AUN-05, AUN-30).
    """
    now = timezone.now()
    tenant = tenant_of(request)
    before = session_of(request, tenant.id, now)
    session = consume_token(row=row, tenant_id=tenant.id, client=client_of(request), now=now)
    if before is not None:
        end_session(session_id=before.pk, reason="signed_in_again", now=now)
    rotate_token(request)
    response = see_other(safe_next(row.deep_link))
    set_cookie(response, session.token)
    forget_asking(response)
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and have the browser forget what it keeps (WEB-11)."""
    now = timezone.now()
    session = session_of(request, tenant_of(request).id, now)
    if session is not None:
        end_session(session_id=session.pk, reason="signed_out", now=now)
    response = see_other(reverse("accounts:sign_in"))
    clear_cookie(response)
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


def see_other(address: str) -> HttpResponse:
    """Redirect after a form with 303, so that going back never sends it again."""
    return HttpResponseRedirect(address, status=303)
