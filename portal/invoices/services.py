"""What happens to an invoice because somebody looks at it."""

from __future__ import annotations

from datetime import datetime

from portal.invoices.models import Invoice
from tenants.audit import Actor, record


def mark_viewed(*, invoice: Invoice, by: Actor, now: datetime) -> bool:
    """Note that the customer has opened the invoice for the first time; True when this was it."""
    first = Invoice.objects.filter(pk=invoice.pk, first_viewed_at__isnull=True).update(first_viewed_at=now)
    if first:
        record("invoice.viewed", by=by, now=now, target=invoice)
    return bool(first)
