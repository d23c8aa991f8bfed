"""S-06: the set-up as it happens, for whoever signed up, on any device that proved it."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.client import client_of
from provisioning.models import Run
from provisioning.services import NotParked, retry_run
from signup.browser import holder_of
from signup.progress import progress_of
from signup.services.handoff import office_address
from signup.views.common import SeeOther, is_fragment, see_other
from tenants.audit import Actor


@require_safe
def progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show the steps; our script asks for the fragment again until there is nothing more to wait for."""
    run = _own_run(request, run_id)
    seen = progress_of(run)
    here = reverse("signup:progress", args=[run.pk])
    context = {
        "host": seen.host,
        "email": seen.email,
        "state": seen.state,
        "steps": seen.items,
        "office_url": reverse("signup:open_office", args=[run.pk]) if seen.state == "ready" else "",
        "retry_url": reverse("signup:retry", args=[run.pk]) if seen.state == "failed" else "",
        "cancel_url": reverse("signup:cancel") if seen.can_cancel else "",
        "start_url": reverse("signup:start") if seen.state == "canceled" else "",
        "poll_url": here if seen.state == "running" else "",
    }
    template = "signup/progress.html#progress" if is_fragment(request) else "signup/progress.html"
    response = render(request, template, context)
    # The button leads to the company's own host, and browsers hold a form's redirects to form-action too.
    response._csp_update = {"form-action": [_origin(seen.host)]}  # type: ignore[attr-defined]
    return response


@require_POST
def retry(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Let the owner start a parked run again; a second press finds it running."""
    run = _own_run(request, run_id)
    by = Actor("visitor", None, run.tenant.owner_email, client_of(request).ip)
    try:
        retry_run(run_id=run.pk, by=by, now=timezone.now())
    except NotParked:
        return see_other("signup:progress", run.pk)
    return see_other("signup:progress", run.pk)


@transaction.non_atomic_requests
@require_POST
def open_office(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Hand the owner over to the new office."""
    run = _own_run(request, run_id)
    if run.state != Run.State.DONE:
        return see_other("signup:progress", run.pk)
    address = office_address(tenant_id=run.tenant_id, owner_email=run.tenant.owner_email, now=timezone.now())
    response = SeeOther(address)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _own_run(request: HttpRequest, run_id: UUID) -> Run:
    """Return the run if this browser may see it; to anybody else it does not exist."""
    holder = holder_of(request)
    if holder is None or holder.signup.tenant_id is None:
        raise Http404
    run = Run.objects.select_related("tenant__signup").filter(pk=run_id, tenant_id=holder.signup.tenant_id).first()
    if run is None:
        raise Http404
    return run


def _origin(host: str) -> str:
    return str(settings.ENV.url_for_host(host))
