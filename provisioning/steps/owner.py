"""Step 5: the person who signed up, as owner, with no password yet."""

from __future__ import annotations

from portal.accounts.models import StaffUser
from provisioning.steps.base import Result, StepFailed, Task
from tenants.scope import tenant_scope


def act(task: Task) -> Result:
    """Add the owner unless they are there; the address is unique."""
    tenant = task.tenant()
    email = tenant.owner_email.lower()
    with tenant_scope(tenant.pk, task.schema()):
        owner = StaffUser(
            email=email,
            name=tenant.owner_name or email.split("@")[0],
            role=StaffUser.Role.OWNER,
            status=StaffUser.Status.INVITED,
            language=tenant.locale,
            created_at=task.now,
        )
        StaffUser.objects.bulk_create([owner], ignore_conflicts=True)
        found = StaffUser.objects.filter(email=email, role=StaffUser.Role.OWNER).first()
    if found is None:
        raise StepFailed("The owner's address belongs to somebody else of the company.")
    return {"staff_user": str(found.pk)}
