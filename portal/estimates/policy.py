"""Which estimates a person may see, and what they wait for (datamodel.md 6.3; VIS-04, VIS-05, EST-04, EST-07)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from django.db.models import F, Q, QuerySet

from portal.access.policy import Allow, Decision, Deny, billing_customers
from portal.accounts.viewer import Grant, Viewer
from portal.estimates.models import Estimate
from tenants.config.registry import ESTIMATES_SECTION
from tenants.config.snapshot import Snapshot

# Never shown to a customer, whatever is set (VIS-04, EST-04).
HIDDEN_STATUSES = (Estimate.Status.DRAFT, Estimate.Status.CANCELED)

# The condition under which `payable_deposit` is more than nothing.
DEPOSIT_IS_DUE = Q(
    status=Estimate.Status.APPROVED,
    deposit_cents__gt=F("deposit_paid_cents") + F("deposit_pending_cents") + F("deposit_reserved_cents"),
)


def section_is_open(grants: Iterable[Grant], settings: Snapshot) -> Decision:
    """Decide whether there is an estimates section for the person at all (NAV-06, EST-07)."""
    if settings.get(ESTIMATES_SECTION) == "hide":
        return Deny("the company hides estimates")
    return Allow() if billing_customers(grants) else Deny("no access with billing")


def visible_to(viewer: Viewer, settings: Snapshot) -> QuerySet[Estimate]:
    """Return every estimate that the person may see, of all accounts they act for."""
    return visible_of(viewer.grants, settings)


def visible_of(grants: Iterable[Grant], settings: Snapshot) -> QuerySet[Estimate]:
    """Return the estimates that some of a person's grants open."""
    grants = tuple(grants)
    if not section_is_open(grants, settings).allowed:
        return Estimate.objects.none()
    return shown_for(billing_customers(grants))


def shown_for(customer_ids: Iterable[UUID]) -> QuerySet[Estimate]:
    """Return the estimates that the company shows to these customers, whoever looks."""
    rows = Estimate.objects.filter(customer_id__in=tuple(customer_ids)).exclude(status__in=HIDDEN_STATUSES)
    return rows.exclude(business_unit__portal_excluded="everything")


def is_open(today: date) -> Q:
    """Return the condition for an estimate that waits for an answer; `today` is the company's day (EST-02, EST-06)."""
    return Q(status=Estimate.Status.SENT) & (Q(expires_on=None) | Q(expires_on__gte=today))


def payable_deposit(estimate: Estimate) -> int:
    """Return what of the deposit is due and not held by a payment under way. Pure.

    Only an approved estimate takes a deposit: what arrives for a canceled one, or for one that is an invoice by now,
    is the customer's credit.
    """
    if estimate.status != Estimate.Status.APPROVED:
        return 0
    held: int = estimate.deposit_paid_cents + estimate.deposit_pending_cents + estimate.deposit_reserved_cents
    return max(0, estimate.deposit_cents - held)
