"""S-01 and S-02: what we offer, and who is at the door."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods, require_safe

from infra.texts import one_line
from portal.accounts.client import client_of
from portal.ui.brand import css_variables, palette
from portal.ui.errors import rate_limited
from signup.browser import holder_of, remember_browser
from signup.choices import guess_country
from signup.forms import StartForm
from signup.services.start import Details, NothingOffered, TooManySignUps, offered_plan, start_signup
from signup.views.common import see_other, to_progress
from tenants.models import Tenant

SAMPLE_COLOUR = "#1e5aa8"
DEMO_COMPANY = "acme"


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Show what a company gets and what it costs."""
    try:
        plan = offered_plan()
    except NothingOffered:
        plan = None
    context = {
        "plan": plan,
        "company_name": one_line(request.GET.get("company", ""))[:120],
        "sample_palette_css": css_variables(palette(SAMPLE_COLOUR), "[data-brand]"),
        "demo_url": _demo_url(),
    }
    return render(request, "signup/landing.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Ask who signs up; a wrong field keeps everything that was typed."""
    if request.method != "POST":
        return render(request, "signup/start.html", {"form": StartForm(initial=_initial(request))})
    data = request.POST.copy()
    form = StartForm(data)
    if not form.is_valid():
        if "form_key" in form.errors:
            data["form_key"] = str(uuid4())
        return render(request, "signup/start.html", {"form": form}, status=422)
    values: dict[str, Any] = dict(form.cleaned_data)
    form_key = values.pop("form_key")
    try:
        signup = start_signup(
            form_key=form_key,
            details=Details(**values, locale=translation.get_language() or "en"),
            ip=client_of(request).ip,
            now=timezone.now(),
        )
    except TooManySignUps as refusal:
        return rate_limited(request, wait_seconds=int(refusal.wait.total_seconds()))
    if signup.state == signup.State.CANCELED:
        return see_other("signup:start")  # a form of before; the page gives it another key
    response = to_progress(signup) if signup.tenant_id else see_other("signup:address")
    remember_browser(response, signup)
    return response


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Fill in what this browser typed before, or what it lets us guess."""
    holder = holder_of(request)
    if holder and holder.began_here and holder.signup.verified_at is None:
        names = ("email", "owner_name", "company", "trade", "country", "time_zone", "form_key")
        return {name: getattr(holder.signup, name) for name in names}
    return {
        "company": one_line(request.GET.get("company", ""))[:120],
        "country": guess_country(request.headers.get("Accept-Language", "")),
        "time_zone": "America/New_York",
        "form_key": uuid4(),
    }


def _demo_url() -> str:
    if not settings.ENV.demo:
        return ""
    there = Tenant.objects.filter(slug=DEMO_COMPANY, lifecycle=Tenant.Lifecycle.ACTIVE).exists()
    return settings.ENV.url_for_host(f"{DEMO_COMPANY}.{settings.ENV.base_domain}", "/") if there else ""
