"""Background work on payments."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from portal.payments.services.settle import resume_attempts
from tenants.context import TenantContext
from tenants.tasks import tenant_task


@tenant_task()
def resume_open_attempts(*, context: TenantContext, **_: Any) -> None:
    """Finish what a crash, a lost answer or a lost webhook left open (F2, F11)."""
    resume_attempts(context=context, now=timezone.now())
