"""Signing in to the office, signing out, and the mailed links that set a password (F-01)."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import staff_services
from portal.accounts.client import client_of
from portal.accounts.models import LoginToken
from portal.accounts.staff_limits import TooManyTries
from portal.accounts.staff_sessions import clear_cookie, end_session, session_of, set_cookie
from portal.accounts.staff_tokens import LinkNotUsable, find_staff_token
from portal.office.forms import PasswordForm, ResetForm, StaffSignInForm
from portal.ui.context import TenantRequest
from portal.ui.errors import rate_limited


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for address and password, and open the page that was wanted."""
    given = cast(TenantRequest, request)
    now = timezone.now()
    if request.method != "POST":
        if session_of(request, given.tenant.id, now):
            return HttpResponseRedirect(_target(request))
        return render(request, "office/sign_in.html", {"form": StaffSignInForm()})
    form = StaffSignInForm(request.POST)
    if not form.is_valid():
        return render(request, "office/sign_in.html", {"form": form}, status=422)
    try:
        _session, token = staff_services.sign_in_staff(
            email=form.cleaned_data["email"],
            password=form.cleaned_data["password"],
            tenant_id=given.tenant.id,
            client=client_of(request),
            now=now,
        )
    except staff_services.WrongPassword:
        form.add_error(None, _("E-mail and password don’t belong together. Check both, or choose a new password."))
        return render(request, "office/sign_in.html", {"form": form}, status=422)
    except TooManyTries as error:
        return rate_limited(request, wait_seconds=error.wait_seconds)
    return _admit(given, token, _target(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session of this browser."""
    given = cast(TenantRequest, request)
    now = timezone.now()
    session = session_of(request, given.tenant.id, now)
    if session:
        staff_services.sign_out_staff(session=session, client=client_of(request), now=now)
    response = HttpResponseRedirect(reverse("office:sign_in"))
    clear_cookie(response)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def forgot(request: HttpRequest) -> HttpResponse:
    """Send a new-password link; the answer never tells whether the address is known (AUN-17)."""
    form = ResetForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return render(request, "office/forgot.html", {"form": form})
    if not form.is_valid():
        return render(request, "office/forgot.html", {"form": form}, status=422)
    email = form.cleaned_data["email"]
    staff_services.ask_for_reset(email=email, client=client_of(request), now=timezone.now())
    return render(request, "office/forgot.html", {"form": form, "sent_to": email})


@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Let the owner of a mailed link choose a password; only the POST changes anything (AUN-10, AUN-12)."""
    given = cast(TenantRequest, request)
    now = timezone.now()
    try:
        link = find_staff_token(token=token, now=now)
    except LinkNotUsable:
        return _private(render(request, "office/link_gone.html", status=410))
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _ask_password(request, link, form)
    try:
        _session, cookie = staff_services.choose_password(
            token=token,
            password=form.cleaned_data["new_password"],
            tenant_id=given.tenant.id,
            client=client_of(request),
            now=now,
        )
    except LinkNotUsable:
        return _private(render(request, "office/link_gone.html", status=410))
    except ValidationError as error:
        form.add_error("new_password", error)
        return _ask_password(request, link, form)
    messages.success(request, _("Your password is set. Welcome to the office."))
    return _private(_admit(given, cookie, reverse("office:today")))


def _ask_password(request: HttpRequest, link: LoginToken, form: PasswordForm) -> HttpResponse:
    context = {
        "form": form,
        "staff_email": link.email,
        "first_time": link.purpose != LoginToken.Purpose.PASSWORD_RESET,
    }
    response = _private(render(request, "office/set_password.html", context, status=422 if form.is_bound else 200))
    # Under no-referrer browsers send the form with "Origin: null", which looks like another site's. This policy
    # hands out the host's name alone: the address with the token stays here all the same.
    response["Referrer-Policy"] = "strict-origin"
    return response


def _admit(request: TenantRequest, token: str, target: str) -> HttpResponse:
    """Give the browser its new session and end the one it had (AUN-05)."""
    now = timezone.now()
    old = session_of(request, request.tenant.id, now)
    if old:
        end_session(session=old, reason="signed in again", now=now)
    response = HttpResponseRedirect(target, status=303)
    set_cookie(response, token)
    return response


def _target(request: HttpRequest) -> str:
    """Return the page that was wanted, if it is one of the office's own."""
    wanted = request.GET.get("next", "")
    if wanted.startswith("/office/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("office:today")


def _private(response: HttpResponse) -> HttpResponse:
    """Keep the secret of a link out of caches and of the next site's log (AUN-16)."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
