"""S-03: the code in the browser that signed up, or the mailed link anywhere; a GET never verifies (AUN-10)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from portal.accounts.client import client_of
from provisioning.addresses import AddressTaken, held_until
from signup.addresses import host_of
from signup.browser import Holder, holder_of, remember_holder
from signup.forms import CodeForm
from signup.services.address import MailNotDue, seconds_to_next_mail, send_again
from signup.services.verify import NotProven, WrongCode, find_link, verify_code
from signup.services.verify import verify_link as accept_link
from signup.views.common import see_other, to_progress


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for the code, or send another mail."""
    holder = holder_of(request)
    if holder is None:
        return see_other("signup:start")
    signup = holder.signup
    if signup.tenant_id:
        return to_progress(signup)
    if not signup.slug or signup.verified_at:
        return see_other("signup:address")
    if request.method != "POST":
        return _page(request, holder, CodeForm())
    if "resend" in request.POST:
        return _resend(request, holder)
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _page(request, holder, form, status=422)
    try:
        signup, run = verify_code(
            holder=holder, code=form.cleaned_data["code"], ip=client_of(request).ip, now=timezone.now()
        )
    except WrongCode as refusal:
        form.add_error("code", _wrong(refusal.left))
        return _page(request, holder, form, status=422)
    except NotProven:
        form.add_error("code", _("This code cannot be used here any more. Use the link in the mail, or start again."))
        return _page(request, holder, form, status=422)
    except AddressTaken:
        return see_other("signup:address")
    return see_other("signup:progress", run.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def verify_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show one button on GET; on POST accept the link, once or again."""
    now = timezone.now()
    response: HttpResponse
    try:
        signup = find_link(token=token, now=now)
        if request.method != "POST":
            context = {"host": host_of(signup.slug), "company": signup.company, "done": bool(signup.tenant_id)}
            response = _unseen(render(request, "signup/verify_link.html", context))
            # Under no-referrer browsers send the form with "Origin: null", which looks like another site's. This policy
            # keeps the path, and with it the secret, out of the header all the same.
            response["Referrer-Policy"] = "strict-origin"
            return response
        try:
            signup, run = accept_link(token=token, ip=client_of(request).ip, now=now)
            response = see_other("signup:progress", run.pk)
        except AddressTaken:
            response = see_other("signup:address")
    except NotProven:
        return _unseen(render(request, "signup/verify_link.html", {"host": ""}, status=410))
    remember_holder(response, signup)
    return _unseen(response)


def _page(request: HttpRequest, holder: Holder, form: CodeForm, *, status: int = 200) -> HttpResponse:
    signup, now = holder.signup, timezone.now()
    until = held_until(slug=signup.slug, holder=signup.pk)
    wait = seconds_to_next_mail(signup, now)
    context = {
        "email": signup.email,
        "form": form,
        "can_resend": wait == 0,
        "wait_seconds": wait or 0,
        "host": host_of(signup.slug),
        "held_minutes": max(0, int((until - now).total_seconds() // 60)) if until else 0,
    }
    return render(request, "signup/verify.html", context, status=status)


def _resend(request: HttpRequest, holder: Holder) -> HttpResponse:
    try:
        send_again(signup_id=holder.signup.pk, now=timezone.now())
    except MailNotDue:
        return _page(request, holder, CodeForm(), status=422)
    return see_other("signup:verify")


def _wrong(left: int) -> str:
    if not left:
        return _("That was the last try for this code. Send a new one, or use the link in the mail.")
    return ngettext(
        "That is not the code of our newest mail. %(left)s try is left.",
        "That is not the code of our newest mail. %(left)s tries are left.",
        left,
    ) % {"left": left}


def _unseen(response: HttpResponse) -> HttpResponse:
    """Keep the link's secret out of referrers and caches (AUN-16)."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response
