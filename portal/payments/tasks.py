"""Background work on payments."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from portal.payments.services.refunds import resume_refunds
from portal.payments.services.settle import resume_attempts
from tenants.context import TenantContext
from tenants.tasks import tenant_task


@tenant_task()
def resume_open_attempts(*, context: TenantContext, **_: Any) -> None:
    """Finish what a crash, a lost answer or a lost webhook left open (F2, F11)."""
    resume_attempts(context=context, now=timezone.now())


@tenant_task()
def resume_open_refunds(*, context: TenantContext, **_: Any) -> None:
    """Make, or look at, every refund of which nobody knows yet how it ends (F2, F18)."""
    resume_refunds(context=context, now=timezone.now())
