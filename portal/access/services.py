"""Gives, renews, pauses and ends a person's access to a customer (ENR-13…18, datamodel.md 4.4)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from infra.ids import uuid7
from portal.access.models import PortalAccess
from portal.accounts.emails import NoEmailAddress, normalise_email
from portal.accounts.models import PortalUser
from portal.accounts.sessions import end_sessions_of
from portal.accounts.tokens import revoke_tokens_of
from tenants.audit import Actor, record
from tenants.outbox import emit

if TYPE_CHECKING:
    from portal.customers.models import Contact, Customer

INVITED = "portal_access.invited"
Status = PortalAccess.Status


class NoEmail(ValueError):
    """There is no usable e-mail address to invite (ENR-10)."""


class CustomerLocked(RuntimeError):
    """The customer is locked out of the portal, archived or merged away; nobody can be invited for it."""


class AccessConflict(RuntimeError):
    """The access is not in a state from which this is possible; `status` says in which it is."""

    def __init__(self, status: str) -> None:
        super().__init__(f"The access is {status}.")
        self.status = status


def invite_to_portal(
    *,
    customer: Customer,
    contact: Contact | None = None,
    email: str = "",
    level: str = PortalAccess.Level.BILLING,
    by: Actor,
    now: datetime,
    origin: str = PortalAccess.Origin.STAFF,
) -> PortalAccess:
    """Invite a person to a customer's portal and return the access; the mail leaves by the outbox (ENR-14, ENR-24).

    Without `email` the contact's primary address is used. Someone who is active already is left alone; an invited one
    is mailed again. Raises NoEmail, CustomerLocked, AccessConflict (suspended: lift it first).
    """
    if customer.portal_locked or customer.archived_at is not None or customer.merged_into_id is not None:
        raise CustomerLocked
    address = _address(contact, email)
    with transaction.atomic():
        user = _find_or_make_user(address, contact.name if contact else "", customer.language, now)
        access, made = PortalAccess.objects.get_or_create(
            portal_user=user,
            customer=customer,
            defaults={
                "contact": contact,
                "level": level,
                "status": Status.INVITED,
                "origin": origin,
                "invited_by": by.id,
                "created_at": now,
                "invited_at": now,
            },
        )
        if not made:
            if access.status == Status.ACTIVE:
                return access
            _invite_again(access, level=level, by=by, now=now)
        _announce(access, by=by, now=now)
    return access


def resend_invitation(*, access: PortalAccess, by: Actor, now: datetime) -> None:
    """Send the invitation once more; links sent before stay valid (ENR-16). Raises AccessConflict."""
    with transaction.atomic():
        if not PortalAccess.objects.filter(pk=access.pk, status=Status.INVITED).update(invited_at=now):
            access.refresh_from_db()
            raise AccessConflict(access.status)
        access.refresh_from_db()
        _announce(access, by=by, now=now)


def suspend(*, access: PortalAccess, by: Actor, now: datetime) -> None:
    """Pause an active access; the person's sessions end with the next request (AUN-09). Raises AccessConflict."""
    with transaction.atomic():
        _move(access, from_=(Status.ACTIVE,), to=Status.SUSPENDED, action="portal_access.suspended", by=by, now=now)
        _close_doors(access, "suspended", now)


def lift(*, access: PortalAccess, by: Actor, now: datetime) -> None:
    """Give a suspended access back. Raises AccessConflict."""
    with transaction.atomic():
        _move(access, from_=(Status.SUSPENDED,), to=Status.ACTIVE, action="portal_access.lifted", by=by, now=now)


def revoke(*, access: PortalAccess, by: Actor, now: datetime) -> None:
    """End an access for good; its links and sessions end with it (datamodel.md 4.4). Raises AccessConflict."""
    with transaction.atomic():
        live = (Status.REQUESTED, Status.INVITED, Status.ACTIVE, Status.SUSPENDED)
        _move(access, from_=live, to=Status.REVOKED, action="portal_access.revoked", by=by, now=now, revoked_at=now)
        _close_doors(access, "revoked", now)


def _address(contact: Contact | None, email: str) -> str:
    address = email
    if not address and contact is not None:
        points = contact.points.filter(kind="email").order_by("-is_primary", "created_at")
        address = points.values_list("value", flat=True).first() or ""
    try:
        return normalise_email(address)
    except NoEmailAddress as error:
        raise NoEmail from error


def _find_or_make_user(email: str, name: str, language: str, now: datetime) -> PortalUser:
    """Return the one person of this address; made when unknown, also when two invitations race."""
    user = PortalUser(email=email, display_name=name[:120], language=language, created_at=now)
    PortalUser.objects.bulk_create([user], ignore_conflicts=True)
    return PortalUser.objects.get(email=email)


def _invite_again(access: PortalAccess, *, level: str, by: Actor, now: datetime) -> None:
    again = (Status.REQUESTED, Status.INVITED, Status.REVOKED)
    changed = PortalAccess.objects.filter(pk=access.pk, status__in=again).update(
        status=Status.INVITED, level=level, invited_at=now, invited_by=by.id, revoked_at=None
    )
    access.refresh_from_db()
    if not changed:
        raise AccessConflict(access.status)


def _announce(access: PortalAccess, *, by: Actor, now: datetime) -> None:
    record(INVITED, by=by, now=now, target=access, after={"level": access.level, "customer": str(access.customer_id)})
    emit(INVITED, key=f"invite:{uuid7()}", payload={"access_id": str(access.pk), "by": by.label}, now=now)


def _move(
    access: PortalAccess,
    *,
    from_: tuple[str, ...],
    to: str,
    action: str,
    by: Actor,
    now: datetime,
    revoked_at: datetime | None = None,
) -> None:
    before = access.status
    fields: dict[str, object] = {"status": to}
    if revoked_at is not None:
        fields["revoked_at"] = revoked_at
    changed = PortalAccess.objects.filter(pk=access.pk, status__in=from_).update(**fields)
    access.refresh_from_db()
    if not changed:
        raise AccessConflict(access.status)
    record(action, by=by, now=now, target=access, before={"status": before}, after={"status": to})


def _close_doors(access: PortalAccess, reason: str, now: datetime) -> None:
    """End what the person holds open, unless another customer still lets them in."""
    user_id: UUID = access.portal_user_id
    end_sessions_of(user_id=user_id, reason=reason, now=now)
    others = PortalAccess.objects.filter(portal_user_id=user_id, status__in=(Status.ACTIVE, Status.INVITED))
    if not others.exists():
        revoke_tokens_of(user_id=user_id, now=now)
