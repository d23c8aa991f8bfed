"""The office's page on which the books and Stripe disagree (F-17): red until somebody has settled it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.payments.services.reconcile import open_differences, settle_difference

WORDS = {
    "unknown_here": mark("Stripe shows a movement that the books don’t know – perhaps made in your Stripe dashboard"),
    "unknown_there": mark("The books show a movement that Stripe doesn’t know"),
    "amount": mark("The amounts differ"),
    "fee": mark("Stripe’s fee differs"),
    "rule": mark("A rule of the books is broken – support has been told"),
}


@require_safe
@staff_view(Permission.VIEW_INVOICES)
def differences(request: StaffRequest) -> HttpResponse:
    """Show every open difference."""
    rows = []
    for row in open_differences():
        facts = row.response or {}
        words = WORDS[facts["kind"]]
        rows.append({"key": row.key, "text": _(words), "since": row.created_at, **facts})
    context = {
        "rows": rows,
        "currency": request.tenant.currency,
        "may_settle": may(request.staff, Permission.MANAGE_INVOICES),
    }
    return render(request, "payments/office_differences.html", context)


@require_POST
@staff_view(Permission.MANAGE_INVOICES)
def settle(request: StaffRequest) -> HttpResponse:
    """Note that somebody has looked into a difference."""
    note = request.POST.get("note", "").replace("\x00", "").strip()
    key = request.POST.get("key", "").replace("\x00", "")[:160]
    if not note:
        messages.error(request, _("Write down what you found, so that the next person knows."))
    elif settle_difference(key=key, note=note, by=request.actor, now=timezone.now()):
        messages.success(request, _("Settled. It stays in the audit log with your note."))
    else:
        messages.info(request, _("This one has been settled already."))
    return HttpResponseRedirect(reverse("office:payment_differences"), status=303)
