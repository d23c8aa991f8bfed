"""Notes when a company was last in use, at most once in five minutes per process."""

import time
from uuid import UUID

from django.db import connection

from tenants.scope import control_scope

EVERY_SECONDS = 300.0
_noted: dict[UUID, float] = {}


def note_activity(tenant_id: UUID) -> None:
    """Write the moment to the control plane when the last note is old; called after the answer is made."""
    now = time.monotonic()
    if now - _noted.get(tenant_id, -EVERY_SECONDS) < EVERY_SECONDS:
        return
    _noted[tenant_id] = now
    with control_scope(), connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_tenant SET last_active_at = now() WHERE id = %s", [tenant_id])
