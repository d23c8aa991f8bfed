"""Turns autopay on and plans at once what it covers: nobody who allowed it reads that nothing is planned (P-12)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from portal.autopay.agreement import Consent
from portal.autopay.services import mandates, office
from portal.autopay.services.charging import announce
from portal.payments.models import AutopayMandate
from tenants.audit import Actor
from tenants.context import TenantContext

# Who has more open invoices than a page shows at a glance does not wait for all of them: the sweep plans the rest.
AT_ONCE = 50


@transaction.atomic
def authorise(
    *,
    context: TenantContext,
    customer_id: UUID,
    portal_user_id: UUID,
    terms: mandates.Terms,
    consent: Consent,
    by: Actor,
    now: datetime,
) -> AutopayMandate:
    """Allow autopay, or change what is allowed; raises as `mandates.authorise`."""
    mandate = mandates.authorise(
        customer_id=customer_id, portal_user_id=portal_user_id, terms=terms, consent=consent, by=by, now=now
    )
    _plan(context, mandate, now)
    return mandate


@transaction.atomic
def resume(*, context: TenantContext, customer_id: UUID, mandate_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """End the customer's own pause; raises as `mandates.resume`."""
    mandate = mandates.resume(customer_id=customer_id, mandate_id=mandate_id, by=by, now=now)
    _plan(context, mandate, now)
    return mandate


@transaction.atomic
def release(*, context: TenantContext, mandate_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """Go on with what the office paused; raises as `office.release`."""
    mandate = office.release(mandate_id=mandate_id, by=by, now=now)
    _plan(context, mandate, now)
    return mandate


def _plan(context: TenantContext, mandate: AutopayMandate, now: datetime) -> None:
    announce(context=context, mandate_id=mandate.pk, now=now, at_most=AT_ONCE)
