"""The office's page on which a second person decides about a refund (PAY-16)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.invoices.methods import method_words
from portal.payments import errors, office_pages
from portal.payments.models import Payment, Refund, RefundProposal
from portal.payments.office_money import order_sentences
from portal.payments.readers import is_alone
from portal.payments.services.refund_proposals import approve_refund, decline_refund, order_of
from portal.ui.formats import format_money

State = RefundProposal.State


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.MANAGE_INVOICES)
def proposal(request: StaffRequest, proposal_id: UUID) -> HttpResponse:
    """Show what was asked for, and approve, decline or withdraw it."""
    found = RefundProposal.objects.filter(pk=proposal_id).select_related("payment__bill_to", "payment__attempt").first()
    if found is None:
        raise Http404
    if found.state != State.WAITING:
        messages.info(request, _("Somebody has decided about this refund already."))
        return _to_payment(found.payment)
    if request.method == "POST":
        return _decide(request, found)
    context = {
        "proposal": found,
        "page": office_pages.make_payment_page(found.payment),
        "reason": office_pages.reason_words(found.reason),
        "sentences": order_sentences(order_of(found), found.currency),
        "to": method_words(found.payment.method),
        "is_own": found.proposed_by == request.staff.pk,
        "alone": found.proposed_by == request.staff.pk and is_alone(request.staff.pk),
        "may_change_rules": may(request.staff, Permission.CHANGE_SETTINGS),
    }
    return render(request, "payments/office_proposal.html", context)


def _decide(request: StaffRequest, found: RefundProposal) -> HttpResponse:
    now, amount = timezone.now(), format_money(found.amount_cents, found.currency)
    try:
        if request.POST.get("do") == "approve":
            made = approve_refund(context=request.context, proposal_id=found.pk, by=request.actor, now=now)
            _tell(request, made, amount)
        elif request.POST.get("do") == "decline":
            decline_refund(proposal_id=found.pk, by=request.actor, now=now)
            messages.success(request, _("The refund of %(amount)s is not made.") % {"amount": amount})
    except errors.SamePerson:
        messages.error(request, _("You asked for this refund yourself. Another person has to approve it."))
    except errors.AlreadyDecided:
        messages.info(request, _("Somebody has decided about this refund already."))
    except errors.PaymentRefused:
        messages.error(request, _("Nothing was refunded. Look at the payment again, then decide."))
    return _to_payment(found.payment)


def _tell(request: StaffRequest, made: Refund, amount: str) -> None:
    if made.state == Refund.State.REQUESTED:
        messages.info(request, _("Stripe has not answered yet. Don’t refund again; this page shows when it is done."))
    elif made.state in Refund.ENDED:
        messages.error(request, _("Stripe refused the refund of %(amount)s. No money moved.") % {"amount": amount})
    else:
        messages.success(request, _("%(amount)s is on its way back to the customer.") % {"amount": amount})


def _to_payment(payment: Payment) -> HttpResponse:
    return HttpResponseRedirect(office_pages.payment_url(payment.pk), status=303)
