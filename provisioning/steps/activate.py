"""Step 8: the door opens, once, and the owner is welcomed, once."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F

from infra.crash import crash_point, declare_crash_points
from portal.accounts.models import StaffUser
from provisioning.models import SchemaSlot
from provisioning.steps.base import Result, StepFailed, Task
from provisioning.steps.enable import SERVICE
from tenants.audit import record_control
from tenants.config.registry import PORTAL
from tenants.models import Epoch, SettingValue, Tenant
from tenants.outbox import emit, emit_control
from tenants.scope import control_scope, tenant_scope

WITHIN = "activate.within"
declare_crash_points(WITHIN)


def act(task: Task) -> Result:
    """Make the company active unless it is, then record the welcome under the run's own key."""
    _open(task)
    crash_point(WITHIN)
    tenant = task.tenant()
    if tenant.lifecycle != Tenant.Lifecycle.ACTIVE or tenant.schema_name is None:
        raise StepFailed(f"The company is {tenant.lifecycle}; it cannot be opened.")
    with tenant_scope(tenant.pk, tenant.schema_name), transaction.atomic():
        owner = StaffUser.objects.get(email=tenant.owner_email.lower())
        emit(
            "staff.welcome",
            key=f"welcome:{task.run_id}",
            payload={"staff_user": str(owner.pk)},
            now=task.now,
        )
    return {"first_activated_at": tenant.first_activated_at.isoformat() if tenant.first_activated_at else ""}


def _open(task: Task) -> None:
    with control_scope(), transaction.atomic():
        slot = SchemaSlot.objects.get(claimed_by_run=task.run_id)
        entitled = SettingValue.objects.filter(scope="operator", scope_id=str(task.tenant_id), key=PORTAL.name)
        opened = Tenant.objects.filter(
            Exists(entitled),
            pk=task.tenant_id,
            lifecycle=Tenant.Lifecycle.PROVISIONING,
            schema_name=slot.schema_name,
            schema_fingerprint=slot.fingerprint,
        ).update(lifecycle=Tenant.Lifecycle.ACTIVE, first_activated_at=task.now)
        if not opened:
            return
        Epoch.objects.update(hostname_epoch=F("hostname_epoch") + 1)
        record_control(
            "tenant.activated",
            by=SERVICE,
            now=task.now,
            tenant_id=task.tenant_id,
            before={"lifecycle": Tenant.Lifecycle.PROVISIONING},
            after={"lifecycle": Tenant.Lifecycle.ACTIVE},
            visible_to_tenant=True,
            surface="job",
        )
        emit_control(
            "tenant.activated",
            key=f"activated:{task.tenant_id}",
            payload={"tenant": str(task.tenant_id)},
            now=task.now,
            tenant_id=task.tenant_id,
        )
