"""The office's pages on which a payment by hand is written down, or taken out again (F-16)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission
from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.invoices.rows import InvoiceRow, make_rows
from portal.payments import errors, ledger, office_pages
from portal.payments.models import Payment
from portal.payments.office_forms import RecordForm, ReversalForm
from portal.payments.services.recording import record_payment, reverse_payment
from portal.ui.formats import format_money

SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.MANAGE_INVOICES)
def record(request: StaffRequest, customer_id: UUID) -> HttpResponse:
    """Write down cash, a check or another payment that did not come through the portal."""
    customer = Customer.objects.filter(pk=customer_id, merged_into__isnull=True).first()
    if customer is None:
        raise Http404
    today = timezone.localdate()
    rows = _open_rows(request, customer)
    data = request.POST if request.method == "POST" else None
    form = RecordForm(rows, request.tenant.currency, today, data)
    if not form.is_bound or not form.is_valid():
        return _show(request, customer, form)
    try:
        payment = record_payment(
            customer_id=customer.pk,
            invoice_ids=form.invoice_ids(),
            recorded=form.recorded(),
            currency=request.tenant.currency,
            zone=request.tenant.zone,
            by=request.actor,
            now=timezone.now(),
        )
    except errors.PaymentRefused:
        form.add_error(None, _("The invoices changed while you were here. Check the amount and record it again."))
        return _show(request, customer, form)
    amount = format_money(payment.amount_cents, payment.currency)
    messages.success(request, _("%(amount)s recorded, receipt %(number)s.") % _named(amount, payment))
    return HttpResponseRedirect(office_pages.payment_url(payment.pk), status=303)


def _named(amount: str, payment: Payment) -> dict[str, str]:
    return {"amount": amount, "number": payment.receipt_no or ""}


def _open_rows(request: StaffRequest, customer: Customer) -> tuple[InvoiceRow, ...]:
    """Return what of the customer's invoices can take money now, the one due first first."""
    claimed = Invoice.objects.filter(
        bill_to=customer, currency=request.tenant.currency, status__in=ledger.PAYABLE
    ).select_related("bill_to", "location")
    rows = make_rows(claimed.order_by("due_on", "number")[:SHOWN], today=timezone.localdate(), can_charge=False)
    return tuple(row for row in rows if row.open_cents > 0)


def _show(request: StaffRequest, customer: Customer, form: RecordForm) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "payments/office_record.html", {"customer": customer, "form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.MANAGE_INVOICES)
def reverse_recorded(request: StaffRequest, payment_id: UUID) -> HttpResponse:
    """Ask why, then take a payment out that was recorded by mistake."""
    payment = Payment.objects.filter(pk=payment_id).select_related("bill_to").first()
    if payment is None:
        raise Http404
    page = office_pages.make_payment_page(payment)
    if not page.by_hand or not page.refundable_cents:
        messages.error(request, _("This payment can’t be taken out."))
        return HttpResponseRedirect(office_pages.payment_url(payment.pk), status=303)
    form = ReversalForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "payments/office_reverse.html", {"page": page, "form": form}, status=status)
    try:
        reverse_payment(payment_id=payment.pk, note=form.cleaned_data["note"], by=request.actor, now=timezone.now())
    except errors.RefundRefused:
        messages.error(request, _("This payment can’t be taken out."))
    else:
        messages.success(request, _("The payment is out of the books. What it had paid is due again."))
    return HttpResponseRedirect(reverse("office:payment_detail", args=[payment.pk]), status=303)
