"""Everything the office sees of one customer, at a constant number of queries (F-06, ENR-01…18)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from portal.access.models import PortalAccess
from portal.customers.models import Contact, ContactPoint, Customer, Location
from portal.customers.selectors import balance_of
from tenants.schema.models import AuditEvent

SHOWN_EVENTS = 12


@dataclass(slots=True)
class PortalRow:
    """One address of the customer with the access it has, if any (ENR-03)."""

    email: str
    name: str
    contact: Contact | None
    access: PortalAccess | None = None
    shared_with: list[Customer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Profile:
    """One customer with what hangs on it."""

    customer: Customer
    contacts: list[Contact]
    phones: list[str]
    locations: list[Location]
    rows: list[PortalRow]
    balance_cents: int
    past_due_cents: int
    events: list[AuditEvent]

    @property
    def primary_row(self) -> PortalRow | None:
        """Return the row of the address that invitations go to first."""
        return self.rows[0] if self.rows else None


def load_profile(customer_id: UUID, today: date) -> Profile | None:
    """Return one customer's profile, or None when there is no such customer here."""
    customer = Customer.objects.filter(pk=customer_id, merged_into__isnull=True).first()
    if customer is None:
        return None
    contacts = list(
        Contact.objects.filter(customer=customer, archived_at__isnull=True)
        .order_by("-is_primary", "created_at", "pk")
        .prefetch_related("points")
    )
    accesses = list(
        PortalAccess.objects.filter(customer=customer).select_related("portal_user").order_by("created_at", "pk")
    )
    rows = _rows_of(contacts, accesses)
    _mark_shared(rows, customer)
    balance, past_due = balance_of(customer, today)
    return Profile(
        customer=customer,
        contacts=contacts,
        phones=list(dict.fromkeys(p.value for c in contacts for p in c.points.all() if p.kind == "phone")),
        locations=list(Location.objects.filter(customer=customer, is_active=True).order_by("created_at", "pk")),
        rows=rows,
        balance_cents=balance,
        past_due_cents=past_due,
        events=_events_of(customer, accesses),
    )


def _rows_of(contacts: list[Contact], accesses: list[PortalAccess]) -> list[PortalRow]:
    """Return a row for each address on the record, invited or not, then for accesses whose address has gone."""
    rows: dict[str, PortalRow] = {}
    for contact in contacts:
        points = [point for point in contact.points.all() if point.kind == "email"]
        for point in sorted(points, key=lambda p: (not p.is_primary, p.created_at)):
            name = "" if contact.name == point.value else contact.name
            rows.setdefault(point.value, PortalRow(point.value, name, contact))
    for access in accesses:
        email = access.portal_user.email
        row = rows.setdefault(email, PortalRow(email, access.portal_user.display_name, None))
        row.access = access
    return list(rows.values())


def _mark_shared(rows: list[PortalRow], customer: Customer) -> None:
    """Note which other customers have the same address: one mailbox then opens several accounts (AUN-22)."""
    by_email = {row.email: row for row in rows}
    points = ContactPoint.objects.filter(
        kind="email",
        value__in=by_email,
        contact__archived_at__isnull=True,
        contact__customer__archived_at__isnull=True,
        contact__customer__merged_into__isnull=True,
    ).exclude(contact__customer=customer)
    for point in points.select_related("contact__customer").order_by("contact__customer__name")[:50]:
        shared = by_email[point.value].shared_with
        if point.contact.customer not in shared:
            shared.append(point.contact.customer)


def _events_of(customer: Customer, accesses: list[PortalAccess]) -> list[AuditEvent]:
    ids: list[Any] = [customer.pk, *(access.pk for access in accesses)]
    return list(AuditEvent.objects.filter(object_id__in=ids).order_by("-at", "-pk")[:SHOWN_EVENTS])
