"""Step 6: the company is entitled to its portal and the owner's switch stands on (C-20, Decided 21, 30)."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from provisioning.steps.base import Result, Task
from tenants.audit import Actor, record_control
from tenants.config.places import bump_config_version
from tenants.config.registry import PORTAL, PORTAL_ENABLED
from tenants.models import SettingValue
from tenants.scope import control_scope

SERVICE = Actor("system", None, "provisioning")


def act(task: Task) -> Result:
    """Write flag, switch, versions and audit in one transaction, unless the flag is there."""
    with control_scope(), transaction.atomic():
        ours: dict[str, Any] = {"scope": SettingValue.Scope.OPERATOR, "scope_id": str(task.tenant_id)}
        found = SettingValue.objects.filter(**ours, key=PORTAL.name).first()
        if found is not None:
            return {"portal": found.value, "found": True}
        version = bump_config_version(task.tenant_id)
        written = {"value": True, "set_by": SERVICE.label, "set_at": task.now, "version": version}
        SettingValue.objects.create(**ours, key=PORTAL.name, reason="set at the company's beginning", **written)
        SettingValue.objects.get_or_create(
            scope=SettingValue.Scope.OWNER, scope_id=str(task.tenant_id), key=PORTAL_ENABLED.name, defaults=written
        )
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
