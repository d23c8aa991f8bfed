"""The one way to an invoice for a customer."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404

from portal.accounts.guards import CustomerRequest
from portal.invoices.models import Invoice
from portal.invoices.policy import visible_to


def get_invoice_for(request: CustomerRequest, invoice_id: UUID) -> Invoice:
    """Return an invoice that the person may see; raises Http404, alike for unknown and forbidden (AUZ-02)."""
    rows = visible_to(request.viewer, request.settings).select_related("bill_to", "location")
    invoice = rows.filter(pk=invoice_id).first()
    if invoice is None:
        raise Http404
    return invoice
