"""Step 3: company and schema point at one another, first the schema, then the control plane."""

from __future__ import annotations

from infra.crash import crash_point, declare_crash_points
from provisioning.models import SchemaSlot
from provisioning.steps.base import Result, StepFailed, Task
from tenants.models import Tenant
from tenants.schema.models import TenantIdentity
from tenants.scope import control_scope, tenant_scope

WITHIN = "bind.within"
declare_crash_points(WITHIN)


def act(task: Task) -> Result:
    """Write the identity row, then name the schema on the tenant; both only if nobody else has."""
    with control_scope():
        slot = SchemaSlot.objects.get(claimed_by_run=task.run_id, state=SchemaSlot.State.CLAIMED)
    name = slot.schema_name
    with tenant_scope(task.tenant_id, name):
        identity = TenantIdentity(tenant_id=task.tenant_id, schema_name=name, created_by_run=task.run_id)
        TenantIdentity.objects.bulk_create([identity], ignore_conflicts=True)
        found = list(TenantIdentity.objects.values_list("tenant_id", "schema_name"))
    if found != [(task.tenant_id, name)]:
        raise StepFailed(f"The schema {name} says that it belongs to {found}.")
    crash_point(WITHIN)
    with control_scope():
        Tenant.objects.filter(pk=task.tenant_id, schema_name=None).update(
            schema_name=name, schema_fingerprint=slot.fingerprint, schema_release=slot.release
        )
    if task.schema() != name:
        raise StepFailed("The company is bound to another schema.")
    return {"schema": name}
