"""A customer's estimates: the list, one estimate, approving and answering it (P-14, P-15)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.guards import CustomerRequest, customer_view
from portal.estimates import answers
from portal.estimates.desks import portal_desk
from portal.estimates.models import Estimate
from portal.estimates.policy import is_open, section_is_open, visible_of, visible_to
from portal.estimates.rows import UNDECIDED, make_rows
from portal.invoices.selectors import company_day

SHOWN = 200


@require_safe
@customer_view
def show_list(request: CustomerRequest) -> HttpResponse:
    """Show what waits for an answer, or what was answered (EST-01, EST-05, VIS-05)."""
    if request.viewer.must_choose:
        return redirect("home:accounts")
    grants = request.viewer.shown_grants
    if not section_is_open(grants, request.settings).allowed:
        raise Http404
    today = company_day(request.tenant, timezone.now())
    found = visible_of(grants, request.settings).select_related("customer", "location").order_by("-sent_at", "-id")
    rows = make_rows(found[:SHOWN], today=today)
    # A deposit that is due waits for the customer as an answer does.
    waiting = tuple(row for row in rows if row.state in UNDECIDED or row.deposit_due_cents)
    answered = tuple(row for row in rows if row not in waiting)
    shown = "answered" if request.GET.get("show") == "answered" else "open"
    count_open(request, today)
    address = reverse("estimates:list")
    context = {
        "rows": answered if shown == "answered" else waiting,
        "shown": shown,
        "filters": [
            {"url": address, "text": _("Open %(count)s") % {"count": len(waiting)}, "current": shown == "open"},
            {
                "url": f"{address}?show=answered",
                "text": _("Answered %(count)s") % {"count": len(answered)},
                "current": shown == "answered",
            },
        ],
        "any": bool(rows),
        "account": request.viewer.chosen if len(request.viewer.grants) > 1 else None,
    }
    return render(request, "estimates/list.html", context)


@require_safe
@customer_view
def show_estimate(request: CustomerRequest, estimate_id: UUID) -> HttpResponse:
    """Show one estimate with its options."""
    estimate = get_estimate_for(request, estimate_id)
    count_open(request, company_day(request.tenant, timezone.now()))
    return answers.show(request, portal_desk(request, estimate))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def approve(request: CustomerRequest, estimate_id: UUID) -> HttpResponse:
    """Sign for one option."""
    return answers.approve(request, portal_desk(request, get_estimate_for(request, estimate_id)))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def answer(request: CustomerRequest, estimate_id: UUID) -> HttpResponse:
    """Decline an estimate, or ask for changes."""
    return answers.answer(request, portal_desk(request, get_estimate_for(request, estimate_id)))


@require_POST
@customer_view
def again(request: CustomerRequest, estimate_id: UUID) -> HttpResponse:
    """Ask for an expired estimate anew."""
    return answers.again(request, portal_desk(request, get_estimate_for(request, estimate_id)))


@require_safe
@customer_view
def download(request: CustomerRequest, estimate_id: UUID) -> HttpResponse:
    """Answer with the estimate as a PDF file."""
    return answers.download(request, portal_desk(request, get_estimate_for(request, estimate_id)))


def get_estimate_for(request: CustomerRequest, estimate_id: UUID) -> Estimate:
    """Return an estimate that the person may see; raises Http404, alike for unknown and forbidden (AUZ-02)."""
    rows = visible_to(request.viewer, request.settings).select_related("customer", "location")
    estimate = rows.filter(pk=estimate_id).first()
    if estimate is None:
        raise Http404
    return estimate


def count_open(request: CustomerRequest, today: date) -> None:
    """Put the number of open estimates beside their line in the menu (NAV-04); hide a section that is none (NAV-06)."""
    grants = request.viewer.shown_grants
    counts: dict[str, int] = getattr(request, "nav_counts", {})
    hidden: frozenset[str] = getattr(request, "nav_hidden", frozenset())
    if not section_is_open(grants, request.settings).allowed:
        request.nav_hidden = hidden | {"estimates:list"}
        return
    found = visible_of(grants, request.settings).filter(is_open(today)).count()
    request.nav_counts = {**counts, "estimates:list": found}
