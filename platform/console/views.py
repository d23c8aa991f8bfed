"""The console's screens O-01 to O-04 in their first form, and the operators' door."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import selectors
from console.forms import HoldForm, ReleaseForm, SignInForm
from console.guards import COOKIE, OperatorRequest, operator_view
from console.presenters import present_overview, present_run, present_tenant
from console.roles import may
from console.services.holds import HoldRefused, add_hold, release_hold
from console.services.sign_in import TooManyTries, WrongPassword, sign_in_operator, sign_out_operator
from provisioning.models import Run
from provisioning.services import NotParked, retry_run
from tenants.models import Hold, Tenant


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for e-mail and password."""
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token = sign_in_operator(
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password"],
                ip=request.META.get("REMOTE_ADDR"),
                user_agent=request.headers.get("User-Agent", ""),
                now=timezone.now(),
            )
        except WrongPassword:
            form.add_error(None, _("E-mail and password do not belong together."))
        except TooManyTries as error:
            form.add_error(None, _("Too many tries. Wait %(n)s minutes.") % {"n": error.minutes})
            return render(request, "console/sign_in.html", {"form": form}, status=429)
        else:
            response = HttpResponseRedirect(_next_path(request))
            response.set_cookie(COOKIE, token, httponly=True, secure=request.is_secure(), samesite="Strict")
            return response
    status = 422 if request.method == "POST" else 200
    return render(request, "console/sign_in.html", {"form": form}, status=status)


def _next_path(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("console:overview")


@require_POST
@operator_view("tenants.view")
def sign_out(request: OperatorRequest) -> HttpResponse:
    """End the session."""
    sign_out_operator(session=request.operator_session, now=timezone.now())
    response = redirect("console:sign_in")
    response.delete_cookie(COOKIE, samesite="Strict")
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@require_safe
@operator_view("tenants.view")
def overview(request: OperatorRequest) -> HttpResponse:
    """O-01: is the fleet well, and does anything need somebody?"""
    now = timezone.now()
    runs = Run.objects.select_related("tenant").prefetch_related("steps").order_by("-created_at")[:12]
    figures = selectors.fleet_figures(now)
    stopped = Run.objects.filter(state=Run.State.PARKED).select_related("tenant").order_by("created_at").first()
    rows = selectors.run_rows(runs, now)
    return render(request, "console/overview.html", present_overview(figures, rows, stopped, now))


@require_safe
@operator_view("tenants.view")
def tenants(request: OperatorRequest) -> HttpResponse:
    """O-02: the list, with search and saved views."""
    now = timezone.now()
    query = request.GET.get("q", "")[:200]
    view = request.GET.get("view", "all")
    if view not in selectors.VIEWS:
        view = "all"
    page = Paginator(selectors.find_tenants(query, view, now), 50).get_page(request.GET.get("page"))
    words = {
        "all": _("All"),
        "new": _("New this week"),
        "held": _("Suspended"),
        "owing": _("Owing"),
        "unwell": _("Unwell"),
    }
    chips = [
        {"url": "?" + urlencode({"view": name, "q": query}), "text": text, "current": name == view}
        for name, text in words.items()
    ]
    total = page.paginator.count
    context = {
        "summary": ngettext("%(n)s company", "%(n)s companies", total) % {"n": total},
        "chips": chips,
        "page": page,
        "tenants": [selectors.tenant_row(tenant, now) for tenant in page.object_list],
        "query": urlencode({"view": view, "q": query}),
        "search_query": query,
    }
    return render(request, "console/tenants.html", context)


@require_safe
@operator_view("tenants.view")
def tenant(request: OperatorRequest, tenant_id: UUID) -> HttpResponse:
    """O-03: one company, why its portal is open or closed, and what happened to it."""
    return render(request, "console/tenant.html", _tenant_page(request, get_tenant(tenant_id)))


def get_tenant(tenant_id: UUID) -> Tenant:
    """Return a tenant or raise Http404."""
    found = Tenant.objects.select_related("plan").filter(pk=tenant_id).first()
    if found is None:
        raise Http404
    return found


def _tenant_page(request: OperatorRequest, found: Tenant) -> dict[str, Any]:
    return present_tenant(
        found,
        now=timezone.now(),
        may_hold=may(request.operator, "tenants.hold"),
        may_release=may(request.operator, "tenants.release"),
        may_extend=may(request.operator, "billing.extend"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@operator_view("tenants.hold")
def hold(request: OperatorRequest, tenant_id: UUID) -> HttpResponse:
    """Suspend a company: say why, type its address."""
    found = get_tenant(tenant_id)
    form = HoldForm(request.POST or None, slug=found.slug)
    if request.method == "POST" and form.is_valid():
        try:
            add_hold(
                tenant=found,
                kind=form.cleaned_data["kind"],
                reason=form.cleaned_data["reason"],
                by=request.actor,
                now=timezone.now(),
            )
        except HoldRefused as error:
            form.add_error(None, error.reason)
        else:
            office = form.cleaned_data["kind"] == Hold.Kind.OFFICE
            done = _("The office of %(name)s is paused.") if office else _("%(name)s is suspended.")
            messages.success(request, done % {"name": found.display_name})
            return redirect("console:tenant", found.pk)
    context = {"tenant": found, "form": form, "host": f"{found.slug}.{request.get_host().split(':')[0]}"}
    return render(request, "console/hold.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_view("tenants.release")
def release(request: OperatorRequest, hold_id: UUID) -> HttpResponse:
    """End one hold."""
    found = Hold.objects.select_related("tenant").filter(pk=hold_id).first()
    if found is None:
        raise Http404
    form = ReleaseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            release_hold(hold=found, reason=form.cleaned_data["reason"], by=request.actor, now=timezone.now())
        except HoldRefused as error:
            form.add_error(None, error.reason)
        else:
            messages.success(request, _("The hold is released."))
            return redirect("console:tenant", found.tenant_id)
    return render(request, "console/release.html", {"hold": found, "form": form}, status=422 if form.errors else 200)


@require_safe
@operator_view("runs.view")
def run(request: OperatorRequest, run_id: UUID) -> HttpResponse:
    """O-04: one run, step by step."""
    found = Run.objects.select_related("tenant").prefetch_related("steps").filter(pk=run_id).first()
    if found is None:
        raise Http404
    context = present_run(found, now=timezone.now(), may_retry=may(request.operator, "runs.retry"))
    template = "console/run.html#run_steps" if request.GET.get("part") == "steps" else "console/run.html"
    return render(request, template, context)


@require_POST
@operator_view("runs.retry")
def retry(request: OperatorRequest, run_id: UUID) -> HttpResponse:
    """Let a stopped run go on from the step where it stopped."""
    if not Run.objects.filter(pk=run_id).exists():
        raise Http404
    try:
        retry_run(run_id=run_id, by=request.actor, now=timezone.now())
    except NotParked:
        messages.error(request, _("This run is not stopped; there is nothing to retry."))
    else:
        messages.success(request, _("The run goes on from where it stopped."))
    return redirect("console:run", run_id)
