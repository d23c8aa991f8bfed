"""The office's wish for a card or bank account on file, mailed as a link (CARD-04)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from portal.access.models import PortalAccess
from portal.accounts.viewer import may_sign_in
from portal.methods import errors
from tenants.audit import Actor, record
from tenants.outbox import emit

ASKED = "payment_method.asked"


@transaction.atomic
def ask_for_method(*, customer_id: UUID, by: Actor, now: datetime) -> PortalAccess:
    """Mail the first person who may see the customer's billing; raises NobodyToAsk. Once an hour is often enough."""
    rows = PortalAccess.objects.filter(
        customer_id=customer_id,
        level=PortalAccess.Level.BILLING,
        status__in=(PortalAccess.Status.ACTIVE, PortalAccess.Status.INVITED),
    ).select_related("portal_user", "customer")
    # Somebody who has been here before comes first.
    found = [access for access in rows.order_by("status", "pk") if may_sign_in(access.portal_user)]
    if not found:
        raise errors.NobodyToAsk
    access = found[0]
    payload = {"access": str(access.pk), "by": by.label}
    emit(ASKED, key=f"card-request:{customer_id}:{now:%Y%m%d%H}", payload=payload, now=now)
    record("payment_method.asked", by=by, now=now, target=access.customer, after={"email": access.portal_user.email})
    return access
