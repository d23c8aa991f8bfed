"""Which invoices somebody wants to pay together: those that were ticked, or the whole balance (PAY-07, PAY-08)."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404

from portal.accounts.guards import CustomerRequest
from portal.invoices.models import Invoice
from portal.invoices.policy import visible_of, visible_to
from portal.payments.bills import InvoiceBill
from portal.payments.ledger import PAYABLE
from portal.payments.payers import Payer

MOST = 200


def chosen_invoices(request: CustomerRequest) -> list[Invoice]:
    """Return the open invoices that the address names, the one due first first; raises Http404.

    Unknown and forbidden invoices look alike (AUZ-02, AUZ-08); what was paid meanwhile is left out.
    """
    if "all" in request.GET:
        rows = visible_of(request.viewer.shown_grants, request.settings).filter(status__in=PAYABLE)
        found = list(rows.select_related("bill_to", "location").order_by("due_on", "number")[:MOST])
        if not found:
            return []
        payable = InvoiceBill(found).payable(Payer(portal_user_id=request.viewer.user.pk))
        return [invoice for invoice in found if payable[invoice.pk]]
    wanted = _ids(request.GET.getlist("invoice"))
    rows = visible_to(request.viewer, request.settings).filter(pk__in=wanted)
    found = list(rows.select_related("bill_to", "location").order_by("due_on", "number"))
    if len(found) != len(wanted):
        raise Http404
    return [invoice for invoice in found if invoice.status in PAYABLE]


def _ids(texts: list[str]) -> set[UUID]:
    if len(texts) > MOST:
        raise Http404
    try:
        return {UUID(text) for text in texts}
    except ValueError:
        raise Http404 from None
