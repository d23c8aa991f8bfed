"""All settings of one tenant at one version: immutable, so nothing ever needs to be invalidated (platform.md 3.9)."""

from __future__ import annotations

import json
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection

from tenants.config.layers import Evaluation, LayerValue, evaluate, weigh
from tenants.config.registry import REGISTRY, Key
from tenants.scope import Scope, current_scope, scope_or_none

T = TypeVar("T")
Version = tuple[int, int]
CAPACITY = 4_000

# Values and the versions they belong to, in one statement: one picture of the database, whoever commits meanwhile.
LAYERS = """
SELECT m.config_version, m.flag_epoch, s.key, s.scope, s.value::text, s.locked, s.expires_at, s.rank
  FROM gate.me m LEFT JOIN gate.settings s ON true
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The resolved value of every key for one company, with the layer it came from and why."""

    tenant_id: UUID
    version: Version
    found: Mapping[str, Evaluation]
    valid_until: datetime | None

    def get(self, key: Key[T]) -> T:
        """Return the value of a declared setting or flag."""
        value: T = self.found[key.name].value
        return value

    def evaluation(self, key: Key[Any]) -> Evaluation:
        """Return the value with its layer and reason."""
        return self.found[key.name]


def resolve(rows: list[LayerValue], tenant_id: UUID, version: Version, now: datetime) -> Snapshot:
    """Stack the layers of one company for every key there is. Pure."""
    by_key: defaultdict[str, list[LayerValue]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    found = {name: evaluate(weigh(key, by_key.get(name, ()), tenant_id, now)) for name, key in REGISTRY.items()}
    ends = [row.expires_at for row in rows if row.expires_at and row.expires_at > now]
    return Snapshot(tenant_id, version, MappingProxyType(found), min(ends, default=None))


Listener = Callable[[Snapshot, frozenset[str]], None]
_snapshots: OrderedDict[UUID, Snapshot] = OrderedDict()
_lock = Lock()
_listeners: list[Listener] = []
# For whom this thread works, told by the scope: once it is left, what stands here belongs to nobody.
_serving: ContextVar[tuple[Scope, Snapshot] | None] = ContextVar("porchlight_settings", default=None)


def snapshot_for(tenant_id: UUID, config_version: int, flag_epoch: int, now: datetime) -> Snapshot:
    """Return the snapshot at versions proven in this request; reads the layers once per version and process.

    Must be called in the tenant's scope: the views behind it show only that tenant's rows.
    """
    with _lock:
        snapshot = _snapshots.get(tenant_id)
        if snapshot is not None:
            _snapshots.move_to_end(tenant_id)
    # Equal, not "at least": a database brought back from a copy counts from where the copy stood.
    if snapshot is None or snapshot.version != (config_version, flag_epoch) or _has_ended(snapshot, now):
        snapshot = _load(tenant_id, now)
    _serving.set((current_scope(), snapshot))
    return snapshot


def current_snapshot() -> Snapshot | None:
    """Return the settings of the company this thread works for now; None between requests and in other scopes."""
    pair = _serving.get()
    return pair[1] if pair and pair[0] is scope_or_none() else None


def on_change(listener: Listener) -> None:
    """Call with the new snapshot and the changed keys whenever this process meets a company's newer version."""
    _listeners.append(listener)


def forget_listener(listener: Listener) -> None:
    """Take back on_change()."""
    if listener in _listeners:
        _listeners.remove(listener)


def _load(tenant_id: UUID, now: datetime) -> Snapshot:
    """Read and remember; a slow reader may store what is already old, but only under the version it read."""
    version, rows = _read()
    snapshot = resolve(rows, tenant_id, version, now)
    with _lock:
        before = _snapshots.get(tenant_id)
        _snapshots[tenant_id] = snapshot
        _snapshots.move_to_end(tenant_id)
        while len(_snapshots) > CAPACITY:
            _snapshots.popitem(last=False)
    if before is not None and _listeners:
        changed = frozenset(key for key, value in snapshot.found.items() if before.found.get(key) != value)
        if changed:
            for listener in tuple(_listeners):
                listener(snapshot, changed)
    return snapshot


def _read() -> tuple[Version, list[LayerValue]]:
    with connection.cursor() as cursor:
        cursor.execute(LAYERS)
        found = cursor.fetchall()
    rows = [
        LayerValue(key, layer, json.loads(value), locked, expires_at, rank)
        for _, _, key, layer, value, locked, expires_at, rank in found
        if key is not None
    ]
    return (found[0][0], found[0][1]), rows


def _has_ended(snapshot: Snapshot, now: datetime) -> bool:
    return snapshot.valid_until is not None and snapshot.valid_until <= now
