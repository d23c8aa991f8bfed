"""S-04: the permanent address, judged while it is typed and again when it is taken."""

from __future__ import annotations

import logging
from typing import Any

import redis
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.client import client_of
from portal.ui.errors import rate_limited
from provisioning.addresses import AddressTaken
from signup.addresses import Verdict, first_proposal, host_of, judge, suffix
from signup.browser import holder_of
from signup.choices import TRADES
from signup.forms import AddressForm
from signup.models import SignUp
from signup.services.address import SignUpEnded, choose_address
from signup.services.verify import NotProven, confirm
from signup.views.common import is_fragment, see_other, to_progress

log = logging.getLogger("porchlight.signup")

CHECKS_PER_MINUTE = 60


@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest) -> HttpResponse:
    """Offer an address, and hold the one that is chosen."""
    holder = holder_of(request)
    if holder is None:
        return see_other("signup:start")
    signup = holder.signup
    if signup.tenant_id:
        return to_progress(signup)
    if request.method == "POST" and "check" not in request.POST:
        return _take(request, signup)
    typed = request.POST.get("slug") or request.GET.get("slug") or signup.slug or _proposal(signup)
    form = AddressForm(initial={"slug": typed[:200], "understood": "understood" in request.POST})
    return _page(request, signup, form, _judge(typed, signup))


@require_safe
def check_address(request: HttpRequest) -> HttpResponse:
    """Answer free, not available, or choose differently: as a fragment for our script, else as JSON."""
    client = client_of(request)
    if _asks_too_often(client.ip or ""):
        return rate_limited(request, wait_seconds=60)
    holder = holder_of(request)
    verdict = _judge(request.GET.get("slug", "")[:200], holder.signup if holder else None)
    if is_fragment(request):
        context = {"status": verdict, "alternatives": _links(verdict)}
        return render(request, "signup/address.html#verdict", context)
    return JsonResponse({"state": verdict.state, "text": verdict.text, "alternatives": list(verdict.alternatives)})


def _take(request: HttpRequest, signup: SignUp) -> HttpResponse:
    form = AddressForm(request.POST)
    verdict = _judge(request.POST.get("slug", ""), signup)
    if "slug" not in form.errors and verdict.state != "free":
        form.add_error("slug", verdict.text)
    if not form.is_valid():
        status = 409 if verdict.state == "taken" and len(form.errors) == 1 else 422
        return _page(request, signup, form, verdict, status=status)
    now = timezone.now()
    try:
        signup = choose_address(signup_id=signup.pk, slug=verdict.slug, now=now)
        if signup.verified_at:
            signup, _run = confirm(signup_id=signup.pk, ip=client_of(request).ip, now=now)
    except (SignUpEnded, NotProven):
        return see_other("signup:start")
    except AddressTaken:
        # Somebody was faster between our look and our grip.
        verdict = _judge(verdict.slug, signup)
        form.add_error("slug", verdict.text)
        return _page(request, signup, form, verdict, status=409)
    return to_progress(signup) if signup.tenant_id else see_other("signup:verify")


def _page(
    request: HttpRequest, signup: SignUp, form: AddressForm, verdict: Verdict, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "suffix": suffix(),
        "preview_host": host_of(verdict.slug) if verdict.state == "free" else "",
        "status": None if form.errors.get("slug") else verdict,
        "alternatives": _links(verdict),
        "check_url": reverse("signup:check_address"),
        "lost": bool(signup.verified_at),
    }
    return render(request, "signup/address.html", context, status=status)


def _judge(typed: str, signup: SignUp | None) -> Verdict:
    holder, hints = (signup.pk, _hints(signup)) if signup else (None, ())
    return judge(typed=typed, holder=holder, hints=hints, now=timezone.now())


def _hints(signup: SignUp) -> tuple[str, ...]:
    return (signup.trade,) if signup.trade in dict(TRADES) and signup.trade != "other" else ()


def _proposal(signup: SignUp) -> str:
    return first_proposal(company=signup.company, hints=_hints(signup), holder=signup.pk, now=timezone.now())


def _links(verdict: Verdict) -> list[dict[str, str]]:
    page = reverse("signup:address")
    return [{"url": f"{page}?{urlencode({'slug': slug})}", "text": host_of(slug)} for slug in verdict.alternatives]


def _asks_too_often(ip: str) -> bool:
    """Count the live checks of one place; without the broker they are not counted, since they reveal little."""
    key = f"signup-check:{ip}"
    try:
        cache.add(key, 0, timeout=60)
        return bool(cache.incr(key) > CHECKS_PER_MINUTE)
    except (redis.RedisError, ValueError) as error:
        log.warning("live checks are not counted", extra={"error": str(error)})
        return False
