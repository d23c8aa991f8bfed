"""Changes to settings: value, new version and audit row in one transaction under a narrow role (Decided 21)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tenants.audit import Actor, record_control
from tenants.config.registry import check_value
from tenants.models import SettingValue
from tenants.scope import settings_scope


class SettingsConflict(RuntimeError):
    """Somebody else changed the settings in between; nothing was written."""


def write_owner_settings(
    *, tenant_id: UUID, values: dict[str, Any], expected_version: int, by: Actor, now: datetime
) -> int:
    """Store the owner's choices and return the new config_version; raises BadValue, SettingsConflict.

    Every request that starts after this returns sees the new values, in every process: they read the version.
    """
    clean = {key: check_value(key, value, "owner") for key, value in values.items()}
    with settings_scope(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE tenants_tenant SET config_version = config_version + 1"
                " WHERE id = %s AND config_version = %s RETURNING config_version",
                [tenant_id, expected_version],
            )
            row = cursor.fetchone()
        if row is None:
            raise SettingsConflict
        layer = {"scope": SettingValue.Scope.OWNER, "scope_id": str(tenant_id)}
        before = dict(SettingValue.objects.filter(**layer, key__in=clean).values_list("key", "value"))
        SettingValue.objects.bulk_create(
            [SettingValue(**layer, key=k, value=v, set_by=by.label, set_at=now) for k, v in clean.items()],
            update_conflicts=True,
            unique_fields=["scope", "scope_id", "key"],
            update_fields=["value", "set_by", "set_at"],
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
