"""The office's list of estimates and the pages on which they are written (F-15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.customers.models import Customer, Location
from portal.estimates.errors import EstimateRefused
from portal.estimates.forms import Builder
from portal.estimates.models import Estimate, EstimateVersion
from portal.estimates.policy import is_open
from portal.estimates.rows import make_rows
from portal.estimates.services.drafting import EDITABLE, create_estimate, save_draft
from portal.invoices.selectors import company_day

PAGE_SIZE = 25
Status = Estimate.Status


@require_safe
@staff_view(Permission.VIEW_ESTIMATES)
def estimate_list(request: StaffRequest) -> HttpResponse:
    """Show the estimates, newest first, by what waits for whom."""
    today = company_day(request.tenant, timezone.now())
    filters: Mapping[str, tuple[str, Q]] = {
        "": (_("All"), Q()),
        "open": (_("Waiting for the customer"), is_open(today)),
        "changes": (_("Changes wanted"), Q(status=Status.CHANGES_REQUESTED)),
        "approved": (_("Approved"), Q(status=Status.APPROVED)),
        "draft": (_("Drafts"), Q(status=Status.DRAFT)),
        "expired": (_("Expired"), Q(status=Status.SENT, expires_on__lt=today)),
    }
    chosen = request.GET.get("show", "") if request.GET.get("show", "") in filters else ""
    found = Estimate.objects.filter(filters[chosen][1]).select_related("customer", "location").order_by("-id")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page", "1"))
    address = reverse("office:estimates")
    context = {
        "page": page,
        "rows": make_rows(page.object_list, today=today, for_office=True),
        "chips": [
            {"url": f"{address}?show={name}" if name else address, "text": text, "current": name == chosen}
            for name, (text, _rows) in filters.items()
        ],
        "chosen": chosen,
        "may_write": may(request.staff, Permission.SEND_ESTIMATES),
    }
    return render(request, "estimates/office_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.SEND_ESTIMATES)
def new(request: StaffRequest, customer_id: UUID) -> HttpResponse:
    """Write an estimate for a customer."""
    customer = Customer.objects.filter(pk=customer_id, merged_into__isnull=True).first()
    if customer is None:
        raise Http404
    builder = _builder(request, customer, None)
    if not builder.is_bound or builder.asks_for_rows or not builder.is_valid():
        return _show(request, customer, builder, None)
    estimate = create_estimate(
        customer_id=customer.pk,
        draft=builder.draft(),
        currency=request.tenant.currency,
        by=request.actor,
        now=timezone.now(),
    )
    messages.success(
        request, _("Estimate %(number)s is a draft. Look at it, then send it.") % {"number": estimate.number}
    )
    return HttpResponseRedirect(reverse("office:estimate", args=[estimate.pk]), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.SEND_ESTIMATES)
def edit(request: StaffRequest, estimate_id: UUID) -> HttpResponse:
    """Write the version that is sent next."""
    estimate = Estimate.objects.select_related("customer").filter(pk=estimate_id).first()
    if estimate is None:
        raise Http404
    back = HttpResponseRedirect(reverse("office:estimate", args=[estimate.pk]), status=303)
    if estimate.status not in EDITABLE:
        messages.error(request, _("This estimate can’t be changed any more."))
        return back
    newest = EstimateVersion.objects.filter(estimate=estimate).order_by("-n").first()
    builder = _builder(request, estimate.customer, newest)
    if not builder.is_bound or builder.asks_for_rows or not builder.is_valid():
        return _show(request, estimate.customer, builder, estimate)
    try:
        save_draft(estimate_id=estimate.pk, draft=builder.draft(), by=request.actor, now=timezone.now())
    except EstimateRefused:
        messages.error(request, _("This estimate can’t be changed any more."))
    else:
        messages.success(request, _("Saved. Customers see it when you send it."))
    return back


def _builder(request: StaffRequest, customer: Customer, version: EstimateVersion | None) -> Builder:
    locations = Location.objects.filter(customer=customer).order_by("street", "id")
    today = company_day(request.tenant, timezone.now())
    data: Any = request.POST if request.method == "POST" else None
    return Builder(locations, request.tenant.currency, today, data, version)


def _show(request: StaffRequest, customer: Customer, builder: Builder, estimate: Estimate | None) -> HttpResponse:
    context = {
        "customer": customer,
        "builder": builder,
        "estimate": estimate,
        "is_next_version": estimate is not None and estimate.current > 0,
    }
    status = 422 if builder.is_bound and not builder.asks_for_rows else 200
    return render(request, "estimates/office_edit.html", context, status=status)
