"""Which invoices a permission covers, and whether a charge stays within its limits (Money 7.7, PAY-20)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from portal.invoices.models import Invoice
from portal.payments.models import AutopayCharge, AutopayMandate

Charge = AutopayCharge.State


def covered(mandate: AutopayMandate, invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Return those of the invoices that the permission is about: of its address, or all."""
    return invoices.filter(location_id=mandate.location_id) if mandate.location_id else invoices


def covers(mandate: AutopayMandate, invoice: Invoice) -> bool:
    """Whether the permission is about an invoice as it stands now. Pure."""
    return mandate.location_id in (None, invoice.location_id)


def is_over(mandate: AutopayMandate, cents: int, day: date, *, apart_from: UUID | None = None) -> bool:
    """Whether a charge on a day goes beyond the limit of one invoice or of the month; the customer is locked.

    The month counts what was taken and what is announced for it, except the charge in question. A new permission does
    not begin at nothing: what an earlier one for the same place took in this month counts too.
    """
    if cents > mandate.cap_cents:
        return True
    if mandate.month_cap_cents is None:
        return False
    month = Q(planned_on__year=day.year, planned_on__month=day.month)
    taken = Q(state__in=[Charge.CHARGING, Charge.CHARGED], taken_on__year=day.year, taken_on__month=day.month)
    same_place = AutopayCharge.objects.filter(
        mandate__bill_to=mandate.bill_to_id, mandate__location=mandate.location_id
    )
    counted = same_place.filter(taken | Q(state=Charge.ANNOUNCED, mandate=mandate) & month)
    if apart_from:
        counted = counted.exclude(pk=apart_from)
    return cents + (counted.aggregate(sum=Sum("amount_cents"))["sum"] or 0) > mandate.month_cap_cents
