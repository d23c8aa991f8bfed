"""Background work of autopay: announce, charge, follow up."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.utils import timezone

from infra.sweeps import every
from portal.autopay.services.charging import has_autopay_work, run_autopay
from tenants.context import IdentityMismatch, TenantContext, UnknownTenant, serving
from tenants.payment_accounts import tenants_that_take_payments
from tenants.tasks import tenant_task

log = logging.getLogger("porchlight.autopay")


@tenant_task()
def look_after_autopay(*, context: TenantContext, **_: Any) -> None:
    """Announce what comes, charge what is due, follow what is under way; running it twice changes nothing (F-65)."""
    run_autopay(context=context, now=timezone.now())


@every(900)
def sweep_autopay(now: datetime) -> None:
    """Have every company's autopay looked after."""
    for tenant_id in tenants_that_take_payments():
        try:
            with serving(tenant_id, now) as context:
                if has_autopay_work() and not look_after_autopay.hint_for(tenant_id):
                    look_after_autopay(context=context)
        except (UnknownTenant, IdentityMismatch):
            log.exception("a company cannot be served", extra={"tenant": str(tenant_id)})
