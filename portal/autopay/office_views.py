"""The office's pages of autopay: who allowed what, what comes, what failed; pause and end (F-18, X-10)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.autopay import errors, office_pages
from portal.autopay.document import answer_permission
from portal.autopay.services import office, turning_on
from portal.payments.models import AutopayMandate


@require_safe
@staff_view(Permission.VIEW_INVOICES)
def mandate_list(request: StaffRequest) -> HttpResponse:
    """Show who allowed autopay, with what comes next and what became of the last."""
    chosen = request.GET.get("show", "")
    chosen = chosen if chosen in office_pages.FILTERS else ""
    page, rows = office_pages.list_mandates(chosen, request.GET.get("page", "1"))
    names = {
        "": _("On and paused"),
        "active": _("On"),
        "paused": _("Paused"),
        "failed": _("With failures"),
        "ended": _("Ended"),
    }
    chips = [{"url": f"?show={name}", "text": text, "current": name == chosen} for name, text in names.items()]
    context = {"page": page, "rows": rows, "chips": chips, "chosen": chosen, "currency": request.tenant.currency}
    return render(request, "autopay/office_list.html", context)


@require_safe
@staff_view(Permission.VIEW_INVOICES)
def mandate(request: StaffRequest, mandate_id: UUID) -> HttpResponse:
    """Show one permission: its limits, its charges, its history."""
    may_act = may(request.staff, Permission.MANAGE_INVOICES)
    page = office_pages.make_mandate_page(_mandate_or_404(mandate_id))
    context = {
        "page": page,
        "currency": request.tenant.currency,
        "may_act": may_act and page.is_living,
        "asks": may_act and page.is_living and request.GET.get("ask") == "end",
    }
    return render(request, "autopay/office_mandate.html", context)


@require_safe
@staff_view(Permission.VIEW_INVOICES)
def permission(request: StaffRequest, mandate_id: UUID) -> HttpResponse:
    """Answer with what the customer allowed as a PDF file."""
    return answer_permission(_mandate_or_404(mandate_id), request.brand, request.tenant)


@require_POST
@staff_view(Permission.MANAGE_INVOICES)
def act(request: StaffRequest, mandate_id: UUID) -> HttpResponse:
    """Pause, go on with the office's own pause, or end; the limits are the customer's alone."""
    release = partial(turning_on.release, context=request.context)
    services: dict[str, Callable[..., AutopayMandate]] = {
        "hold": office.hold,
        "release": release,
        "end": office.end_for,
    }
    words = {
        "hold": _("Autopay is paused, and the customer is told."),
        "release": _("Autopay goes on, and the customer is told."),
        "end": _("Autopay is ended, and the customer is told."),
    }
    wanted = request.POST.get("do", "")
    if wanted not in services:
        raise Http404
    found = _mandate_or_404(mandate_id)
    try:
        services[wanted](mandate_id=found.pk, by=request.actor, now=timezone.now())
    except errors.UnusableMethod:
        messages.error(request, _("The card or account can’t be charged. The customer has to choose another one."))
    except errors.AutopayRefused:
        messages.info(request, _("Nothing was changed: somebody has changed it meanwhile. Look again."))
    else:
        messages.success(request, words[wanted])
    return HttpResponseRedirect(reverse("office:payment_mandate", args=[found.pk]), status=303)


def _mandate_or_404(mandate_id: UUID) -> AutopayMandate:
    rows = AutopayMandate.objects.select_related("bill_to", "method", "fallback", "location", "authorised_by")
    found = rows.filter(pk=mandate_id).first()
    if found is None:
        raise Http404
    return found
