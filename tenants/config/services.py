"""What owners decide: value, new version and audit row in one transaction under a narrow role (Decided 21)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tenants.audit import Actor, record_control
from tenants.config.layers import Evaluation, evaluate, weigh
from tenants.config.places import rows_of
from tenants.config.registry import ClosedLayer, Key, check_value, find_key
from tenants.models import PlatformAuditEvent, SettingValue
from tenants.scope import settings_scope


class SettingsConflict(RuntimeError):
    """Somebody else changed the settings in between; nothing was written. `change` is what they did, if we may see."""

    def __init__(self, change: PlatformAuditEvent | None = None) -> None:
        super().__init__("The settings have changed in between.")
        self.change = change


def write_owner_settings(
    *, tenant_id: UUID, values: dict[str, Any], expected_version: int, by: Actor, now: datetime
) -> int:
    """Store the owner's choices and return the new config_version; raises BadValue, ClosedLayer, SettingsConflict.

    Every request that starts after this returns sees the new values, in every process: they read the version.
    A key that is locked from below is refused unless it stays what it is.
    """
    clean = {key: check_value(key, value, "owner") for key, value in values.items()}
    with settings_scope(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE tenants_tenant SET config_version = config_version + 1"
                " WHERE id = %s AND config_version = %s RETURNING config_version, plan_id",
                [tenant_id, expected_version],
            )
            row = cursor.fetchone()
        if row is None:
            raise SettingsConflict
        for key, value in clean.copy().items():
            found = _beneath_owner(find_key(key), tenant_id, row[1], now)
            if found.locked and found.value != value:
                raise ClosedLayer(key)
            if found.locked:
                del clean[key]
        layer = {"scope": SettingValue.Scope.OWNER, "scope_id": str(tenant_id)}
        before = dict(SettingValue.objects.filter(**layer, key__in=clean).values_list("key", "value"))
        written = {"set_by": by.label[:200], "set_at": now, "version": row[0]}
        SettingValue.objects.bulk_create(
            [SettingValue(**layer, key=k, value=v, **written) for k, v in clean.items()],
            update_conflicts=True,
            unique_fields=["scope", "scope_id", "key"],
            update_fields=["value", *written],
        )
        changed = {k: v for k, v in clean.items() if json.dumps(before.get(k)) != json.dumps(v)}
        record_control(
            "settings.changed",
            by=by,
            now=now,
            tenant_id=tenant_id,
            before={k: before.get(k) for k in changed},
            after=changed,
            visible_to_tenant=True,
        )
    return int(row[0])


def _beneath_owner(key: Key[Any], tenant_id: UUID, plan_id: UUID, now: datetime) -> Evaluation:
    """Return what the key would be without the owner's value."""
    rows = [row for row in rows_of(tenant_id, plan_id, key.name) if row.layer != "owner"]
    return evaluate(weigh(key, rows, tenant_id, now))
