"""All settings of one tenant at one version: immutable, so nothing ever needs to be invalidated (platform.md 3.9)."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection

from tenants.config.registry import REGISTRY, Key

T = TypeVar("T")
ORDER = {"platform": 0, "plan": 1, "operator": 2, "owner": 3}
CAPACITY = 4_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The resolved value of every key, and the layer it came from."""

    version: tuple[int, int]
    values: Mapping[str, Any]
    layers: Mapping[str, str]
    valid_until: datetime | None

    def get(self, key: Key[T]) -> T:
        """Return the value of a declared key."""
        value: T = self.values[key.name]
        return value


@dataclass(frozen=True, slots=True)
class LayerValue:
    """One stored value with its place."""

    key: str
    layer: str
    value: Any
    locked: bool
    expires_at: datetime | None


def resolve(rows: list[LayerValue], version: tuple[int, int], now: datetime) -> Snapshot:
    """Stack the layers, lowest first; a locked layer ends the stack, an expired row counts as absent. Pure."""
    values: dict[str, Any] = {name: key.default for name, key in REGISTRY.items()}
    layers: dict[str, str] = dict.fromkeys(REGISTRY, "code")
    locked: set[str] = set()
    ends = [row.expires_at for row in rows if row.expires_at and row.expires_at > now]
    for row in sorted(rows, key=lambda r: ORDER[r.layer]):
        if row.key not in REGISTRY or row.key in locked or (row.expires_at and row.expires_at <= now):
            continue
        values[row.key] = row.value
        layers[row.key] = row.layer
        if row.locked:
            locked.add(row.key)
    return Snapshot(version, MappingProxyType(values), MappingProxyType(layers), min(ends, default=None))


_snapshots: OrderedDict[tuple[UUID, int, int], Snapshot] = OrderedDict()
_lock = Lock()


def snapshot_for(tenant_id: UUID, config_version: int, flag_epoch: int, now: datetime) -> Snapshot:
    """Return the snapshot at versions proven in this request; reads the layers once per version and process.

    Must be called in the tenant's scope: the view behind it shows only that tenant's rows.
    """
    key = (tenant_id, config_version, flag_epoch)
    with _lock:
        known = _snapshots.get(key)
        if known and (known.valid_until is None or known.valid_until > now):
            _snapshots.move_to_end(key)
            return known
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, scope, value::text, locked, expires_at FROM gate.settings")
        found = cursor.fetchall()
    snapshot = resolve([_row(*row) for row in found], (config_version, flag_epoch), now)
    with _lock:
        _snapshots[key] = snapshot
        while len(_snapshots) > CAPACITY:
            _snapshots.popitem(last=False)
    return snapshot


def _row(key: str, layer: str, value: str, locked: bool, expires_at: datetime | None) -> LayerValue:
    return LayerValue(key, layer, json.loads(value), locked, expires_at)
