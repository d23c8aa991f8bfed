"""Step 6: the company is entitled to its portal and the owner's switch stands on (C-20, Decided 21, 30)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from provisioning.steps.base import Result, Task
from tenants.audit import Actor, record_control
from tenants.config.registry import PORTAL_ENABLED
from tenants.models import Epoch, FlagOverride, SettingValue, Tenant
from tenants.scope import control_scope

SERVICE = Actor("system", None, "provisioning")


def act(task: Task) -> Result:
    """Write flag, switch, versions and audit in one transaction, unless the flag is there."""
    with control_scope(), transaction.atomic():
        override, created = FlagOverride.objects.get_or_create(
            flag_id="portal",
            tenant_id=task.tenant_id,
            defaults={
                "value": True,
                "set_by": SERVICE.label,
                "set_at": task.now,
                "reason": "set at the company's beginning",
            },
        )
        if not created:
            return {"portal": override.value, "found": True}
        SettingValue.objects.get_or_create(
            scope=SettingValue.Scope.OWNER,
            scope_id=str(task.tenant_id),
            key=PORTAL_ENABLED.name,
            defaults={"value": True, "set_by": SERVICE.label, "set_at": task.now},
        )
        Tenant.objects.filter(pk=task.tenant_id).update(config_version=F("config_version") + 1)
        Epoch.objects.update(flag_epoch=F("flag_epoch") + 1)
        record_control(
            "portal.enabled",
            by=SERVICE,
            now=task.now,
            tenant_id=task.tenant_id,
            after={"flag portal": True, PORTAL_ENABLED.name: True},
            visible_to_tenant=True,
            surface="job",
        )
    return {"portal": True}
