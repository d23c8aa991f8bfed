"""Asking once more who is there before money matters change, and back to where they were (AUN-29)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.asking import TooManyRequests, count_code_try
from portal.accounts.client import client_of
from portal.accounts.emails import mask_email
from portal.accounts.forms import CodeForm
from portal.accounts.guards import CustomerRequest, actor_of, customer_view
from portal.accounts.next_page import safe_next
from portal.accounts.proofs import ask_for_code, is_fresh
from portal.accounts.proofs import prove as prove_session
from portal.ui import errors

P = ParamSpec("P")
R = TypeVar("R", bound=CustomerRequest)


def with_fresh_proof(
    view: Callable[Concatenate[R, P], HttpResponseBase],
) -> Callable[Concatenate[R, P], HttpResponseBase]:
    """Run the view for somebody who proved lately who they are, else ask first and come back to this very address."""

    @wraps(view)
    def guarded(request: R, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return ask_first(request, request.get_full_path()) or view(request, *args, **kwargs)

    return guarded


def ask_first(request: CustomerRequest, back: str) -> HttpResponse | None:
    """Return the way to the proof when the last one is old; nothing was done then. `back` answers a GET."""
    if is_fresh(request.viewer.proved_at, timezone.now()):
        return None
    return HttpResponseRedirect(proof_address(back), status=303)


def proof_address(back: str) -> str:
    """Return where the proof is given, with the page to come back to."""
    return f"{reverse('accounts:proof')}?{urlencode({'next': back})}"


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def prove(request: CustomerRequest) -> HttpResponse:
    """Offer to mail a code, take it, and lead back."""
    back, now = safe_next(request.GET.get("next", "")), timezone.now()
    if is_fresh(request.viewer.proved_at, now):
        return HttpResponseRedirect(back, status=303)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            count_code_try(client=client_of(request), now=now)
        except TooManyRequests as error:
            return errors.rate_limited(request, wait_seconds=error.wait_seconds)
        code, session_id = form.cleaned_data["code"], request.viewer.session_id
        if prove_session(user=request.viewer.user, session_id=session_id, code=code, by=actor_of(request), now=now):
            return HttpResponseRedirect(back, status=303)
        form.add_error("code", _("That code isn’t right, or it has ended. Check it, or have a new one mailed."))
    context = {
        "form": form,
        "masked_email": mask_email(request.viewer.user.email),
        "was_asked": form.is_bound or "asked" in request.GET,
        "mail_url": f"{reverse('accounts:proof_mail')}?{urlencode({'next': back})}",
    }
    return render(request, "accounts/proof.html", context, status=422 if form.errors else 200)


@require_POST
@customer_view
def mail_code(request: CustomerRequest) -> HttpResponse:
    """Have a code mailed to the address on file, and show where to type it."""
    back = safe_next(request.GET.get("next", ""))
    try:
        ask_for_code(
            user=request.viewer.user,
            session_id=request.viewer.session_id,
            back=back,
            language=get_language() or "",
            by=actor_of(request),
            now=timezone.now(),
        )
    except TooManyRequests as error:
        return errors.rate_limited(request, wait_seconds=error.wait_seconds)
    return HttpResponseRedirect(f"{proof_address(back)}&asked=1", status=303)
