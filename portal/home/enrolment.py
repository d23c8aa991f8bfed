"""Finds the person behind an address that asks for a link, and lets known contacts in (AUTH-12, ENR-33)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from portal.access.models import PortalAccess
from portal.accounts.models import PortalUser
from portal.accounts.viewer import may_sign_in
from portal.customers.models import Contact
from tenants.audit import SYSTEM, record
from tenants.config.registry import DEFAULT_LEVEL, ENROL_POLICY
from tenants.config.snapshot import Snapshot

KNOWN_EMAIL_POLICIES = ("known_email", "known_email+request")


def find_or_enrol(*, email: str, settings: Snapshot, now: datetime) -> PortalUser | None:
    """Return who may be mailed a link at this address, or None; the address of the row is the one to write to.

    Where the policy allows, every unlocked customer that has the address on a contact is granted to its person. The
    grant waits as invited and becomes active with the first sign-in, like one that the office gave. A grant that was
    suspended or revoked stays so (datamodel.md 4.4).
    """
    if settings.get(ENROL_POLICY) in KNOWN_EMAIL_POLICIES:
        _grant_to_known(email, settings.get(DEFAULT_LEVEL), now)
    user = PortalUser.objects.filter(email=email).first()
    return user if user is not None and may_sign_in(user) else None


def _grant_to_known(email: str, level: str, now: datetime) -> None:
    contacts = Contact.objects.filter(
        points__kind="email",
        points__value=email,
        archived_at=None,
        customer__archived_at=None,
        customer__merged_into=None,
        customer__portal_locked=False,
    ).exclude(customer__accesses__portal_user__email=email)
    found = list(contacts.select_related("customer").order_by("customer_id", "-is_primary"))
    if not found:
        return
    with transaction.atomic():
        first = found[0]
        person = PortalUser(
            email=email,
            display_name=first.name[:120],
            language=first.language or first.customer.language,
            created_at=now,
        )
        PortalUser.objects.bulk_create([person], ignore_conflicts=True)
        user = PortalUser.objects.get(email=email)
        for contact in {contact.customer_id: contact for contact in reversed(found)}.values():
            access, made = PortalAccess.objects.get_or_create(
                portal_user=user,
                customer=contact.customer,
                defaults={
                    "contact": contact,
                    "level": level,
                    "status": PortalAccess.Status.INVITED,
                    "origin": PortalAccess.Origin.SELF_MATCH,
                    "created_at": now,
                    "invited_at": now,
                },
            )
            if made:
                record("portal_access.matched", by=SYSTEM, now=now, target=access)
