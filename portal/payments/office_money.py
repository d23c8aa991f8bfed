"""The office's pages about payments that came in: list, one payment, refund (F-17)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.invoices.methods import method_words
from portal.invoices.models import Invoice
from portal.payments import errors, office_pages
from portal.payments.models import Payment, Refund
from portal.payments.needs import needs
from portal.payments.office_forms import RefundForm
from portal.payments.readers import is_alone
from portal.payments.selectors import count_credits
from portal.payments.services.refund_proposals import propose_refund, waiting_proposal
from portal.payments.services.refunds import RefundOrder, needs_second_person, refundable_lines, request_refund
from portal.ui.formats import format_money


@require_safe
@staff_view(Permission.VIEW_INVOICES)
def payment_list(request: StaffRequest) -> HttpResponse:
    """Show what came in, newest first."""
    chosen = request.GET.get("show", "")
    chosen = chosen if chosen in office_pages.FILTERS else ""
    page, rows = office_pages.list_payments(chosen, request.GET.get("page", "1"))
    names = {
        "": _("All"),
        "processing": _("Processing"),
        "refunded": _("Refunded"),
        "disputed": _("Disputed"),
    }
    chips = [{"url": f"?show={name}", "text": text, "current": name == chosen} for name, text in names.items()]
    context = {
        "page": page,
        "rows": rows,
        "chips": chips,
        "chosen": chosen,
        "credits": count_credits(),
        "needs": needs(),
    }
    return render(request, "payments/office_list.html", context)


@require_safe
@staff_view(Permission.VIEW_INVOICES)
def payment(request: StaffRequest, payment_id: UUID) -> HttpResponse:
    """Show one payment: what it pays and everything that became of it."""
    found = _payment_or_404(payment_id)
    may_refund = may(request.staff, Permission.MANAGE_INVOICES)
    page = office_pages.make_payment_page(found)
    context = {"page": page, "may_refund": may_refund, "proposal": waiting_proposal(found.pk)}
    return render(request, "payments/office_payment.html", context)


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.MANAGE_INVOICES)
def refund(request: StaffRequest, payment_id: UUID) -> HttpResponse:
    """Ask how much and why, show what it does, then refund (PAY-16)."""
    found = _payment_or_404(payment_id)
    if not office_pages.refundable_cents(found):
        messages.error(request, _("Nothing of this payment can be refunded now."))
        return _to_payment(found)
    lines = refundable_lines(found)
    parts = office_pages.make_parts(found)
    form = RefundForm(lines, parts, found.currency, request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid() or "back" in request.POST:
        return _show_form(request, found, form)
    order = form.order()
    if "confirm" not in request.POST:
        needs_second = needs_second_person(request.settings, found, order.amount_cents)
        context = {
            "page": office_pages.make_payment_page(found),
            "form": form,
            "amount_cents": order.amount_cents,
            "sentences": order_sentences(order, found.currency),
            "to": method_words(found.method),
            "needs_second": needs_second,
            "alone": needs_second and is_alone(request.staff.pk),
            "may_change_rules": may(request.staff, Permission.CHANGE_SETTINGS),
        }
        return render(request, "payments/office_refund_confirm.html", context)
    return _refund(request, found, order)


def _refund(request: StaffRequest, found: Payment, order: RefundOrder) -> HttpResponse:
    now = timezone.now()
    try:
        made = request_refund(context=request.context, payment_id=found.pk, order=order, by=request.actor, now=now)
    except errors.RefundTooLarge as error:
        left = format_money(error.left_cents, found.currency)
        messages.error(request, _("Nothing was refunded: only %(amount)s is left.") % {"amount": left})
        return _to_payment(found)
    except errors.SecondPersonNeeded:
        return _propose(request, found, order)
    except errors.PaymentRefused:
        messages.error(request, _("Nothing was refunded. Look at the payment again, then decide."))
        return _to_payment(found)
    amount = format_money(made.amount_cents, made.currency)
    if made.state == Refund.State.REQUESTED:
        messages.info(request, _("Stripe has not answered yet. Don’t refund again; this page shows when it is done."))
    elif made.state in Refund.ENDED:
        messages.error(request, _("Stripe refused the refund of %(amount)s. No money moved.") % {"amount": amount})
    else:
        messages.success(request, _("%(amount)s is on its way back to the customer.") % {"amount": amount})
    return _to_payment(found)


def _propose(request: StaffRequest, found: Payment, order: RefundOrder) -> HttpResponse:
    """Ask for a second person instead (PAY-16)."""
    try:
        propose_refund(payment_id=found.pk, order=order, by=request.actor, now=timezone.now())
    except errors.AlreadyProposed:
        messages.error(request, _("A refund of this payment waits for a second person already."))
    except errors.PaymentRefused:
        messages.error(request, _("Nothing was refunded. Look at the payment again, then decide."))
    else:
        messages.success(request, _("Asked for. The refund is made when a second person approves it."))
    return _to_payment(found)


def order_sentences(order: RefundOrder, currency: str) -> list[str]:
    """Return what a refund will do."""
    wanted = [line.invoice_id for line in order.lines if line.invoice_id]
    numbers = dict(Invoice.objects.filter(pk__in=wanted).values_list("pk", "number"))
    lines = [
        {
            "invoice": line.invoice_id,
            "text": _("Invoice %(number)s") % {"number": numbers[line.invoice_id] if line.invoice_id else ""},
            "cents": line.amount_cents,
            "keeps_paid": line.keeps_paid,
        }
        for line in order.lines
    ]
    return office_pages.refund_summary(lines, currency)


def _show_form(request: StaffRequest, found: Payment, form: RefundForm) -> HttpResponse:
    context = {"page": office_pages.make_payment_page(found), "form": form}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "payments/office_refund.html", context, status=status)


def _payment_or_404(payment_id: UUID) -> Payment:
    found = Payment.objects.filter(pk=payment_id).select_related("bill_to", "attempt__portal_user").first()
    if found is None:
        raise Http404
    return found


def _to_payment(found: Payment) -> HttpResponse:
    return HttpResponseRedirect(office_pages.payment_url(found.pk), status=303)
