"""Which invoices a person may see (datamodel.md 6.3, VIS-06…08, VIS-12, VIS-16)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from portal.access.policy import Allow, Decision, Deny, billing_customers
from portal.accounts.viewer import Grant, Viewer
from portal.invoices.models import Invoice
from tenants.config.registry import INVOICES_FILTER, INVOICES_SECTION, SHOW_ZERO_INVOICES
from tenants.config.snapshot import Snapshot

# Never shown to a customer, whatever is set: a draft is not a claim yet, a void one is none any more (VIS-08).
HIDDEN_STATUSES = (Invoice.Status.DRAFT, Invoice.Status.VOID)


def section_is_open(grants: Iterable[Grant], settings: Snapshot) -> Decision:
    """Decide whether there is an invoices section for the person at all (NAV-06, AUZ-09)."""
    if settings.get(INVOICES_SECTION) == "hide":
        return Deny("the company hides invoices")
    return Allow() if billing_customers(grants) else Deny("no access with billing")


def visible_to(viewer: Viewer, settings: Snapshot) -> QuerySet[Invoice]:
    """Return every invoice that the person may see, of all accounts they act for."""
    return visible_of(viewer.grants, settings)


def visible_of(grants: Iterable[Grant], settings: Snapshot) -> QuerySet[Invoice]:
    """Return the invoices that some of a person's grants open."""
    grants = tuple(grants)
    if not section_is_open(grants, settings).allowed:
        return Invoice.objects.none()
    return shown_for(billing_customers(grants), settings)


def shown_for(customer_ids: Iterable[UUID], settings: Snapshot) -> QuerySet[Invoice]:
    """Return the invoices that the company shows to these customers, whoever looks."""
    rows = Invoice.objects.filter(bill_to_id__in=tuple(customer_ids)).exclude(status__in=HIDDEN_STATUSES)
    rows = rows.exclude(business_unit__portal_excluded__in=("invoices", "everything"))
    wanted = settings.get(INVOICES_FILTER)
    if wanted in ("reviewed", "reviewed_and_exported"):
        rows = rows.filter(reviewed_at__isnull=False)
    if wanted in ("exported", "reviewed_and_exported"):
        rows = rows.filter(exported_at__isnull=False)
    if not settings.get(SHOW_ZERO_INVOICES):
        rows = rows.filter(total_cents__gt=0)
    return rows
