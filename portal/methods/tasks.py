"""Background work on methods on file: additions without an end, cards that expire."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.utils import timezone

from infra.sweeps import every
from portal.methods.expiry import warn_of_expiries
from portal.methods.services.changing import resume_methods
from tenants.context import IdentityMismatch, TenantContext, UnknownTenant, serving
from tenants.payment_accounts import tenants_that_take_payments
from tenants.tasks import tenant_task

log = logging.getLogger("porchlight.methods")


@tenant_task()
def look_after_methods(*, context: TenantContext, **_: Any) -> None:
    """Find out what became of additions whose answer was lost, and warn of cards that expire."""
    now = timezone.now()
    resume_methods(context=context, now=now)
    warn_of_expiries(context=context, now=now)


@every(3600)
def sweep_methods(now: datetime) -> None:
    """Have every company's methods looked after."""
    for tenant_id in tenants_that_take_payments():
        if look_after_methods.hint_for(tenant_id):
            continue
        try:
            with serving(tenant_id, now) as context:
                look_after_methods(context=context)
        except (UnknownTenant, IdentityMismatch):
            log.exception("a company cannot be served", extra={"tenant": str(tenant_id)})
