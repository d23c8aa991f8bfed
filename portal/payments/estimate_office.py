"""The office's pages on which an estimate becomes an invoice, or is canceled (F-15, VIS-04)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission
from portal.estimates.errors import NotCancelable, NotConvertible, NumberTaken
from portal.estimates.models import Estimate
from portal.invoices.selectors import company_day
from portal.payments.services.estimates import DUE_IN, cancel_estimate, convert_estimate
from portal.ui.formats import format_money


class InvoiceForm(forms.Form):
    """The number of the invoice, which the company's own books give."""

    number = forms.CharField(label=gettext_lazy("Invoice number"), max_length=40)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.MANAGE_ESTIMATES)
def cancel(request: StaffRequest, estimate_id: UUID) -> HttpResponse:
    """Ask, then cancel; a paid deposit becomes credit."""
    estimate = _estimate_or_404(estimate_id)
    if request.method != "POST":
        return _show(request, estimate, "cancel", None)
    try:
        released = cancel_estimate(estimate_id=estimate.pk, by=request.actor, now=timezone.now())
    except NotCancelable:
        messages.error(request, _("This estimate can’t be canceled any more."))
        return _back(estimate)
    if released:
        amount = {"amount": format_money(released, estimate.currency)}
        messages.success(
            request, _("Canceled. The deposit of %(amount)s is credit now: apply it or give it back.") % amount
        )
        return HttpResponseRedirect(reverse("office:credits"), status=303)
    messages.success(request, _("The estimate is canceled. Customers don’t see it any more."))
    return _back(estimate)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.MANAGE_ESTIMATES)
def make_invoice(request: StaffRequest, estimate_id: UUID) -> HttpResponse:
    """Ask for the number, then make the invoice; the deposit goes along."""
    estimate = _estimate_or_404(estimate_id)
    form = InvoiceForm(request.POST if request.method == "POST" else None, initial={"number": f"{estimate.number}-1"})
    if not form.is_bound or not form.is_valid():
        return _show(request, estimate, "invoice", form)
    now = timezone.now()
    try:
        invoice = convert_estimate(
            estimate_id=estimate.pk,
            number=form.cleaned_data["number"],
            today=company_day(request.tenant, now),
            by=request.actor,
            now=now,
        )
    except NotConvertible:
        messages.error(request, _("This estimate can’t become an invoice: it is not approved, or it is one already."))
        return _back(estimate)
    except NumberTaken:
        form.add_error("number", _("This number is taken."))
        return _show(request, estimate, "invoice", form)
    messages.success(request, _("Invoice %(number)s is made. Send it when you like.") % {"number": invoice.number})
    return HttpResponseRedirect(reverse("office:invoice_links", args=[invoice.pk]), status=303)


def _estimate_or_404(estimate_id: UUID) -> Estimate:
    estimate = Estimate.objects.select_related("customer").filter(pk=estimate_id).first()
    if estimate is None:
        raise Http404
    return estimate


def _back(estimate: Estimate) -> HttpResponse:
    return HttpResponseRedirect(reverse("office:estimate", args=[estimate.pk]), status=303)


def _show(request: StaffRequest, estimate: Estimate, what: str, form: Any) -> HttpResponse:
    status = 422 if form is not None and form.is_bound else 200
    context = {"estimate": estimate, "what": what, "form": form, "due_in_days": DUE_IN.days}
    return render(request, "payments/office_estimate.html", context, status=status)
