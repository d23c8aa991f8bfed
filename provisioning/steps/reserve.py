"""Step 1: the address belongs to this company and answers nobody yet."""

from __future__ import annotations

from provisioning.steps.base import Result, StepFailed, Task
from tenants.models import Hostname
from tenants.scope import control_scope


def act(task: Task) -> Result:
    """Verify what `start_run` wrote in one transaction: without schema the address still answers 404."""
    with control_scope():
        host = Hostname.objects.filter(
            tenant_id=task.tenant_id, kind=Hostname.Kind.SLUG, state=Hostname.State.LIVE, is_primary=True
        ).first()
    if host is None:
        raise StepFailed("The address of the company is not recorded.")
    return {"address": host.name}
