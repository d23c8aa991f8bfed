"""What the office may do about autopay: pause it, go on with its own pause, end it; never widen it (F-18)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from portal.autopay import errors
from portal.autopay.services.mandates import Pause, State, end, go_on, lock_living, tell
from portal.payments.models import AutopayMandate
from tenants.audit import Actor


@transaction.atomic
def hold(*, mandate_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """Charge nothing until the office goes on; raises UnknownMandate, NotActive.

    What is paused already stays whose pause it is: otherwise the office would go on with what the customer stopped.
    """
    mandate = _lock(mandate_id)
    active = AutopayMandate.objects.filter(pk=mandate.pk, state=State.ACTIVE)
    if not active.update(state=State.PAUSED, paused_because=Pause.OFFICE):
        raise errors.NotActive
    tell(mandate, "paused", by=by, now=now)
    return mandate


@transaction.atomic
def release(*, mandate_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """Go on with what the office paused; raises UnknownMandate, NotHeld, UnusableMethod."""
    mandate = _lock(mandate_id)
    if mandate.paused_because != Pause.OFFICE:
        raise errors.NotHeld
    go_on(mandate, by=by, now=now)
    return mandate


@transaction.atomic
def end_for(*, mandate_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """End a customer's autopay; raises UnknownMandate. Only they can allow it anew."""
    mandate = _lock(mandate_id)
    end(mandate, now=now)
    tell(mandate, "revoked", by=by, now=now)
    return mandate


def _lock(mandate_id: UUID) -> AutopayMandate:
    customer_id = AutopayMandate.objects.filter(pk=mandate_id).values_list("bill_to_id", flat=True).first()
    if customer_id is None:
        raise errors.UnknownMandate
    return lock_living(customer_id, mandate_id)
