"""The office's pages about credit: what no invoice has taken yet, applied or refunded in one click (money inv. 2)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.invoices.methods import method_words
from portal.invoices.rows import make_rows
from portal.payments import errors
from portal.payments.models import Credit, Refund
from portal.payments.office_pages import PAGE_SIZE, refundable_cents
from portal.payments.services.credits import apply_credit, open_invoices
from portal.payments.services.refunds import RefundLine, RefundOrder, request_refund
from portal.ui.formats import format_money


@require_safe
@staff_view(Permission.VIEW_INVOICES)
def credit_list(request: StaffRequest) -> HttpResponse:
    """Show every credit of which something is left, the oldest first."""
    rows = Credit.objects.filter(remaining_cents__gt=0).select_related("customer", "payment").order_by("created_at")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page", "1"))
    return render(request, "payments/office_credits.html", {"page": page})


@require_safe
@staff_view(Permission.VIEW_INVOICES)
def credit(request: StaffRequest, credit_id: UUID) -> HttpResponse:
    """Show one credit, the invoices it can pay, and the way back to the customer."""
    found = _credit_or_404(credit_id)
    invoices = open_invoices(found)
    may_change = may(request.staff, Permission.MANAGE_INVOICES)
    assert found.payment
    context: dict[str, Any] = {
        "credit": found,
        "invoices": [
            {"row": row, "takes_cents": min(row.open_cents, found.remaining_cents)}
            for row in make_rows(invoices, today=timezone.localdate(), can_charge=False)
        ],
        "may_change": may_change and found.remaining_cents > 0,
        "refundable_cents": min(refundable_cents(found.payment), found.remaining_cents),
        "method": method_words(found.payment.method),
        "by_hand": found.payment.stripe_pi_id is None,
        "form_key": uuid4(),
    }
    return render(request, "payments/office_credit.html", context)


@require_POST
@staff_view(Permission.MANAGE_INVOICES)
def apply(request: StaffRequest, credit_id: UUID) -> HttpResponse:
    """Pay an invoice out of a credit."""
    found = _credit_or_404(credit_id)
    try:
        cents = apply_credit(
            credit_id=found.pk,
            invoice_id=_uuid(request.POST.get("invoice", "")),
            seen_cents=_seen(request),
            by=request.actor,
            now=timezone.now(),
        )
    except errors.PaymentRefused:
        messages.error(request, _("Nothing was changed: credit or invoice are different now. Look again."))
    else:
        amount = format_money(cents, found.currency)
        messages.success(request, _("%(amount)s of the credit went to the invoice.") % {"amount": amount})
    return _back(found)


@transaction.non_atomic_requests
@require_POST
@staff_view(Permission.MANAGE_INVOICES)
def refund_credit(request: StaffRequest, credit_id: UUID) -> HttpResponse:
    """Give what is left of a credit back to where its payment came from."""
    found = _credit_or_404(credit_id)
    seen = _seen(request)
    assert found.payment_id
    try:
        if seen != found.remaining_cents:
            raise errors.AmountChanged(found.remaining_cents)
        order = RefundOrder(_uuid(request.POST.get("form_key", "")), (RefundLine(None, seen),), Refund.Reason.CUSTOMER)
        made = request_refund(
            context=request.context, payment_id=found.payment_id, order=order, by=request.actor, now=timezone.now()
        )
    except errors.SecondPersonNeeded:
        messages.error(request, _("So much needs a second person. Refund it on the payment’s page, where you can ask."))
        return _back(found)
    except errors.PaymentRefused:
        messages.error(request, _("Nothing was refunded. Look at the payment again, then decide."))
        return _back(found)
    amount = format_money(made.amount_cents, made.currency)
    if made.state in Refund.ENDED:
        messages.error(request, _("Stripe refused the refund of %(amount)s. No money moved.") % {"amount": amount})
    elif made.state == Refund.State.REQUESTED:
        messages.info(request, _("Stripe has not answered yet. Don’t refund again; this page shows when it is done."))
    else:
        messages.success(request, _("%(amount)s is on its way back to the customer.") % {"amount": amount})
    return _back(found)


def _credit_or_404(credit_id: UUID) -> Credit:
    found = Credit.objects.filter(pk=credit_id, payment__isnull=False).select_related("customer", "payment").first()
    if found is None:
        raise Http404
    return found


def _seen(request: StaffRequest) -> int:
    text = request.POST.get("seen_cents", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 15 else -1


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _back(found: Credit) -> HttpResponse:
    return HttpResponseRedirect(reverse("office:credit", args=[found.pk]), status=303)
