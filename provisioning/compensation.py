"""Takes back what a canceled run made; may be started anywhere, any number of times (platform.md 3.5)."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from infra.crash import crash_point, declare_crash_points
from provisioning.events import add_event
from provisioning.models import Run, SchemaSlot
from tenants.models import SettingValue, Tenant
from tenants.scope import control_scope

BEFORE, WITHIN, RECORDED = "take_back.before_act", "take_back.within", "take_back.after_record"
declare_crash_points(BEFORE, WITHIN, RECORDED)

log = logging.getLogger("porchlight.provisioning")


def take_back(run_id: UUID) -> bool:
    """Undo a canceled run and close it; False when it is not canceled. The caller holds the run's fence."""
    with control_scope():
        if not Run.objects.filter(pk=run_id, state=Run.State.COMPENSATING).exists():
            return False
    crash_point(BEFORE)
    now = timezone.now()
    with control_scope():
        # Somebody's rows may be in it, so it is never handed out again; the janitor removes it.
        slots = SchemaSlot.objects.filter(claimed_by_run=run_id)
        slots.update(state=SchemaSlot.State.DIRTY, claimed_by_run=None)
    crash_point(WITHIN)
    with control_scope(), transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run_id)
        SettingValue.objects.filter(scope_id=str(run.tenant_id)).delete()
        Tenant.objects.filter(pk=run.tenant_id, lifecycle=Tenant.Lifecycle.PURGING).update(
            lifecycle=Tenant.Lifecycle.DELETED, schema_name=None, schema_fingerprint="", schema_release=""
        )
        done = Run.objects.filter(pk=run_id, state=Run.State.COMPENSATING)
        done.update(state=Run.State.COMPENSATED, finished_at=now, heartbeat_at=now)
        add_event(run_id, "run.compensated", now=now)
    crash_point(RECORDED)
    log.info("a canceled run was taken back", extra={"run": str(run_id)})
    return True
