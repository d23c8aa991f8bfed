"""A person changes their mind while it costs nothing: before the company has opened (check 18)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from portal.accounts.client import client_of
from provisioning.services import TooLate
from signup.addresses import host_of
from signup.browser import holder_of
from signup.models import SignUp
from signup.services.cancel import cancel_signup
from signup.services.verify import run_of
from signup.views.common import see_other, to_progress


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest) -> HttpResponse:
    """Ask once more on GET, end the sign-up on POST; a company that has opened is not touched."""
    holder = holder_of(request)
    if holder is None:
        return see_other("signup:start")
    signup = holder.signup
    if request.method != "POST":
        if signup.tenant and (signup.state == SignUp.State.CANCELED or signup.tenant.first_activated_at):
            return to_progress(signup)
        context = {"host": host_of(signup.slug) if signup.slug else "", "back_url": _way_back(signup)}
        return render(request, "signup/cancel.html", context)
    try:
        signup = cancel_signup(signup_id=signup.pk, ip=client_of(request).ip, now=timezone.now())
    except TooLate:
        return to_progress(signup)
    return to_progress(signup) if signup.tenant_id else see_other("signup:landing")


def _way_back(signup: SignUp) -> str:
    if signup.tenant_id:
        return reverse("signup:progress", args=[run_of(signup).pk])
    return reverse("signup:verify" if signup.slug else "signup:address")
