"""Step 4: what every company starts with, written once, marked in the company's own ledger."""

from __future__ import annotations

from django.db import transaction

from portal.settings.models import CompanyProfile
from provisioning.steps.base import Result, Task
from tenants.schema.models import IdempotencyKey, NumberSequence
from tenants.scope import tenant_scope

VERSION = 1
NUMBERED = ("customer", "invoice", "receipt")


def act(task: Task) -> Result:
    """Write profile and number sequences together with their mark, or find the mark."""
    tenant = task.tenant()
    mark = {"scope": "baseline", "key": f"v{VERSION}"}
    with tenant_scope(tenant.pk, task.schema()):
        if IdempotencyKey.objects.filter(**mark).exists():
            return {"version": VERSION, "found": True}
        with transaction.atomic():
            IdempotencyKey.objects.create(**mark, created_at=task.now)
            CompanyProfile.objects.create(name=tenant.display_name, trade=tenant.trade, email=tenant.owner_email)
            NumberSequence.objects.bulk_create([NumberSequence(kind=kind) for kind in NUMBERED])
    return {"version": VERSION}
