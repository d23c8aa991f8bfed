"""The stock of ready schemas: filled one at a time, proved again and again, wrong ones removed (platform.md 3.5)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from infra.crash import declare_crash_points
from provisioning.fence import try_session_lock
from provisioning.models import SchemaSlot
from provisioning.schemas import current_release, drop_in_batches
from provisioning.slots import announce_slot, is_as_built, make_slot, read_stamp
from provisioning.templates import is_newest
from tenants.config.registry import POOL_TARGET
from tenants.models import SettingValue
from tenants.scope import control_scope, owner_scope

log = logging.getLogger("porchlight.provisioning")

WITHIN = "pool.within"
declare_crash_points(WITHIN)

LONGEST_WAIT = timedelta(days=14)
DROPPED_AT_ONCE = 2

State = SchemaSlot.State


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """How many schemas wait, and how many should."""

    target: int
    ready: int
    building: int
    outdated: int
    dirty: int
    release: str

    @property
    def is_low(self) -> bool:
        """Whether less than a quarter of the stock is there."""
        return self.ready * 4 < self.target


def pool_target() -> int:
    """Return how many schemas should wait; an operator's value wins over the code's."""
    with control_scope():
        row = SettingValue.objects.filter(scope="platform", key=POOL_TARGET.name).first()
    return POOL_TARGET.default if row is None else POOL_TARGET.check(row.value)


def pool_status() -> PoolStatus:
    """Return the stock as the ledger has it."""
    release = current_release()
    target = pool_target()
    with control_scope():
        waiting = SchemaSlot.objects.filter(claimed_by_run=None)
        ready = waiting.filter(state=State.READY)
        return PoolStatus(
            target=target,
            ready=ready.filter(release=release).count(),
            building=waiting.filter(state=State.BUILDING).count(),
            outdated=ready.exclude(release=release).count(),
            dirty=waiting.filter(state__in=[State.DIRTY, State.DROPPING]).count(),
            release=release,
        )


def fill_pool(*, now: datetime, count: int = 1, target: int | None = None) -> int:
    """Build up to `count` of the missing slots and return how many were built.

    One builder at a time in the whole fleet; whoever comes second leaves. Old code builds nothing for newer code.
    """
    wanted = pool_target() if target is None else target
    built = 0
    with owner_scope(), try_session_lock("pool") as mine:
        if not mine or not is_newest(current_release()):
            return 0
        while built < count and (slot := _missing(wanted, now)):
            make_slot(slot, crash_within=WITHIN)
            built += 1
    return built


def _missing(wanted: int, now: datetime) -> SchemaSlot | None:
    """Return the slot to build next: what a killed builder left comes first, for nobody else builds meanwhile."""
    with control_scope():
        waiting = SchemaSlot.objects.filter(claimed_by_run=None)
        left = waiting.filter(state=State.BUILDING).order_by("created_at").first()
        if left is not None:
            return left
        if waiting.filter(state=State.READY, release=current_release()).count() >= wanted:
            return None
    return announce_slot(run_id=None, now=now)


def clean_pool(*, now: datetime, limit: int = DROPPED_AT_ONCE) -> int:
    """Set aside slots that nobody may have any more and drop up to `limit` of those; returns how many were dropped."""
    with owner_scope(), try_session_lock("pool janitor") as mine:
        if not mine:
            return 0
        if is_newest(current_release()):
            _set_aside(now)
        with control_scope():
            dirty = SchemaSlot.objects.filter(state__in=[State.DIRTY, State.DROPPING], claimed_by_run=None)
            names = list(dirty.order_by("created_at").values_list("schema_name", flat=True)[:limit])
        return sum(_drop(name) for name in names)


def _set_aside(now: datetime) -> None:
    """Mark what is of another release, too old, or not what was built (check 20)."""
    with control_scope():
        ready = SchemaSlot.objects.filter(state=State.READY, claimed_by_run=None)
        ready.filter(~Q(release=current_release()) | Q(built_at__lt=now - LONGEST_WAIT)).update(state=State.DIRTY)
        left = list(ready.values_list("schema_name", "fingerprint"))
    for name, digest in left:
        # Whoever changes a waiting schema for good reason holds its lock until the ledger says so.
        with try_session_lock(f"schema:{name}") as mine:
            if mine:
                _judge(name, digest)


def _judge(name: str, digest: str) -> None:
    """Compare a waiting schema with what was built, and stamp it anew if it was touched without effect."""
    stamp = read_stamp(name)  # before the fingerprint: what is changed in between shows in the next stamp
    good = is_as_built(name, digest)
    if not good:
        log.warning("a waiting schema was changed by hand", extra={"schema": name})
    with control_scope():
        slot = SchemaSlot.objects.filter(schema_name=name, fingerprint=digest, state=State.READY)
        if good:
            slot.exclude(stamp=stamp).update(stamp=stamp)
        else:
            slot.update(state=State.DIRTY)


def _drop(name: str) -> bool:
    """Remove one schema; False while a statement of whoever made it is still running (M8)."""
    with try_session_lock(f"schema:{name}") as mine:
        if not mine:
            return False
        with control_scope():
            SchemaSlot.objects.filter(schema_name=name, state=State.DIRTY).update(state=State.DROPPING)
        drop_in_batches(name)
        with control_scope():
            SchemaSlot.objects.filter(schema_name=name, state=State.DROPPING).update(state=State.DROPPED)
    return True
