"""The office's page of its own plan: trial, price, what is owed, and the way to Stripe's pages (F-29)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from billing import errors
from billing.pages import make_plan_page, state_badge
from billing.services.checkout import open_portal, start_checkout
from billing.services.mirror import look_at_company
from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.payments.csp import with_onboarding


# Subscriptions live in the control plane: no transaction may reach both halves (Decided 16).
@transaction.non_atomic_requests
@require_safe
@with_onboarding
@staff_view(while_held=True)
def plan(request: StaffRequest) -> HttpResponse:
    """Show the plan; also while the office is held, when every other page leads here."""
    page = make_plan_page(tenant_id=request.tenant.id, now=timezone.now())
    context = {"page": page, "badge": state_badge(page), "may_change": may(request.staff, Permission.MANAGE_PLAN)}
    return render(request, "billing/plan.html", context)


@transaction.non_atomic_requests
@require_POST
@staff_view(Permission.MANAGE_PLAN, while_held=True)
def subscribe(request: StaffRequest) -> HttpResponse:
    """Send the owner to Stripe's page to subscribe; whoever has a plan is sent to the billing portal."""
    back = request.tenant.url(reverse("billing:return"))
    try:
        plan_id = UUID(request.POST.get("plan", ""))
        url = start_checkout(
            tenant_id=request.tenant.id,
            plan_id=plan_id,
            success_url=back,
            cancel_url=request.tenant.url(reverse("billing:plan")),
            by=request.actor,
            now=timezone.now(),
        )
    except (ValueError, errors.NotOffered):
        messages.error(request, _("This plan can’t be chosen any more. Here is what is offered now."))
        return _to_plan()
    except errors.AlreadySubscribed:
        messages.info(request, _("You have a plan already."))
        return _to_plan()
    except (errors.StripeAway, errors.SubscriptionDisagrees):
        return _away(request)
    return HttpResponse(status=303, headers={"Location": url})


@transaction.non_atomic_requests
@require_POST
@staff_view(Permission.MANAGE_PLAN, while_held=True)
def manage(request: StaffRequest) -> HttpResponse:
    """Send the owner to Stripe's page for card, invoices and plan."""
    back = request.tenant.url(reverse("billing:return"))
    try:
        url = open_portal(tenant_id=request.tenant.id, return_url=back, by=request.actor, now=timezone.now())
    except errors.NotSubscribed:
        return _to_plan()
    except errors.StripeAway:
        return _away(request)
    return HttpResponse(status=303, headers={"Location": url})


@transaction.non_atomic_requests
@require_GET
@staff_view(Permission.MANAGE_PLAN, while_held=True)
def come_back(request: StaffRequest) -> HttpResponse:
    """Look at the subscription after Stripe's pages; that somebody came back proves nothing."""
    try:
        look_at_company(tenant_id=request.tenant.id, now=timezone.now())
    except (errors.StripeAway, errors.SubscriptionDisagrees):
        messages.error(request, _("Stripe didn’t answer. This page is brought up to date later."))
    return _to_plan()


def _to_plan() -> HttpResponse:
    return HttpResponseRedirect(reverse("billing:plan"), status=303)


def _away(request: StaffRequest) -> HttpResponse:
    messages.error(request, _("Stripe didn’t answer. Nothing was lost; try again in a minute."))
    return _to_plan()
