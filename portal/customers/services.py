"""What the office changes about a customer's people: addresses, memos, levels (ENR-04, ENR-08, ENR-12, ENR-13)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from portal.access.models import PortalAccess
from portal.accounts.emails import normalise_email
from portal.customers.models import Contact, ContactPoint, Customer
from tenants.audit import Actor, record


class ChangedMeanwhile(RuntimeError):
    """Somebody else changed the same record first; nothing was written."""


def add_email(*, customer: Customer, email: str, by: Actor, now: datetime) -> ContactPoint:
    """Put an address on the customer's record and return it; one that is there already is returned (ENR-12).

    It belongs to the primary contact while that has none, otherwise to a contact of its own.
    """
    address = normalise_email(email)
    with transaction.atomic():
        # Two people adding the same address at once would otherwise both find it missing.
        Customer.objects.select_for_update().get(pk=customer.pk)
        known = ContactPoint.objects.filter(
            contact__customer=customer, contact__archived_at__isnull=True, kind="email", value=address
        ).first()
        if known:
            return known
        point = ContactPoint.objects.create(
            contact=_contact_for(customer, address, now), kind="email", value=address, is_primary=True, created_at=now
        )
        record("customer.email_added", by=by, now=now, target=customer, after={"email": address})
    return point


def _contact_for(customer: Customer, address: str, now: datetime) -> Contact:
    primary = customer.contacts.filter(is_primary=True, archived_at__isnull=True).first()
    if primary and not primary.points.filter(kind="email").exists():
        return primary
    return Contact.objects.create(
        customer=customer,
        name=customer.name if primary is None else address,
        role=Contact.Role.OWNER if primary is None else Contact.Role.OTHER,
        is_primary=primary is None,
        created_at=now,
        updated_at=now,
    )


def write_memo(*, access: PortalAccess, memo: str, by: Actor, now: datetime) -> None:
    """Keep the office's note about an access, up to 1000 characters; the customer never sees it (ENR-04)."""
    text = memo.replace("\x00", "").strip()[:1000]
    with transaction.atomic():
        PortalAccess.objects.filter(pk=access.pk).update(memo=text)
        record("portal_access.memo", by=by, now=now, target=access, before={"memo": access.memo}, after={"memo": text})


def change_level(*, access: PortalAccess, level: str, by: Actor, now: datetime) -> None:
    """Let a person see billing or not, from their next request on (ENR-08, AUZ-13); raises ChangedMeanwhile."""
    wanted = PortalAccess.Level(level)
    if access.level == wanted:
        return
    with transaction.atomic():
        same = PortalAccess.objects.filter(pk=access.pk, level=access.level, status=access.status)
        if not same.update(level=wanted):
            raise ChangedMeanwhile
        record(
            "portal_access.level",
            by=by,
            now=now,
            target=access,
            before={"level": access.level},
            after={"level": str(wanted)},
        )
