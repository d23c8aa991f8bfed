"""The customer list and the page of one customer (F-03, F-06)."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.customers.profile import load_profile
from portal.customers.selectors import FILTERS, count_customers, find_customers, page_of
from portal.methods.pages import method_rows
from portal.office.customer_pages import (
    delivery_of,
    make_chips,
    make_contact_line,
    make_customer_line,
    make_header,
    make_invoice_lines,
    make_locations,
)
from portal.office.forms import InviteForm
from portal.office.words import say_event
from portal.payments.selectors import credits_of


@require_safe
@staff_view(Permission.VIEW_CUSTOMERS)
def customers(request: StaffRequest) -> HttpResponse:
    """Show the customers by name, fifty to a page."""
    today = timezone.localdate()
    search = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    chosen = request.GET.get("f", "")
    chosen = chosen if chosen in FILTERS else ""
    counts = count_customers()
    found = find_customers(search=search, chosen=chosen)
    page = page_of(found, request.GET.get("page"), total=None if search else counts.of(chosen), today=today)
    page.object_list = [make_customer_line(row, request.tenant, today) for row in page.object_list]
    context = {
        "total": counts.total,
        "active_count": counts.active,
        "chips": make_chips(counts, chosen, search) if counts.total else [],
        "page": page,
        "query": urlencode({k: v for k, v in (("f", chosen), ("q", search)) if v}),
        "search_query": search,
        "chosen": chosen,
        "may_import": may(request.staff, Permission.IMPORT),
    }
    return render(request, "office/customers.html", context)


@require_safe
@staff_view(Permission.VIEW_CUSTOMERS)
def customer(request: StaffRequest, customer_id: UUID) -> HttpResponse:
    """Show everything the office knows of one customer."""
    return show_customer(request, customer_id, None)


def show_customer(request: StaffRequest, customer_id: UUID, form: InviteForm | None) -> HttpResponse:
    """Render a customer's page, with an invitation form that was filled in wrongly if there is one."""
    today = timezone.localdate()
    profile = load_profile(customer_id, today)
    if profile is None:
        raise Http404
    may_see_access = may(request.staff, Permission.VIEW_ACCESS)
    may_manage = may(request.staff, Permission.MANAGE_ACCESS)
    may_bill = may(request.staff, Permission.VIEW_INVOICES)
    delivery = delivery_of(profile.rows) if may_see_access else {}
    lines = [
        make_contact_line(row, profile.customer, today, delivery=delivery, may_manage=may_manage)
        for row in profile.rows
    ]
    open_to_invites = may_manage and not profile.customer.portal_locked and profile.customer.archived_at is None
    context = {
        "customer": make_header(profile, request.tenant),
        "locations": make_locations(profile.locations),
        "may_bill": may_bill,
        "may_record": may(request.staff, Permission.MANAGE_INVOICES),
        "may_write_estimate": may(request.staff, Permission.SEND_ESTIMATES),
        "credits": credits_of(customer_id) if may_bill else [],
        "methods": method_rows(customer_id, today) if may_bill else (),
        "may_ask_for_card": may(request.staff, Permission.SEND_INVOICES) and may_bill,
        "invoices": make_invoice_lines(customer_id, request.tenant, request.settings, today) if may_bill else [],
        "may_see_access": may_see_access,
        "contacts": lines if may_see_access else [],
        "invite_form": (form or InviteForm()) if open_to_invites else None,
        "primary": lines[0] if lines and may_see_access else None,
        "activity": [say_event(event, today) for event in profile.events] if may_see_access else [],
    }
    return render(request, "office/customer.html", context, status=422 if form and form.errors else 200)
