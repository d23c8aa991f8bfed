"""What operators decide, for everybody, a plan, a cohort or one company: value, version and audit in one transaction.

A company's own layer moves its config_version, everything shared moves the epoch; every request reads both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from tenants.audit import Actor, record_control
from tenants.config.layers import bucket, percent_of
from tenants.config.places import KILLED, PLATFORM, Place, bump_config_version, bump_version
from tenants.config.registry import BadValue, ClosedLayer, Key, check_value, find_key
from tenants.config.services import SettingsConflict
from tenants.models import Cohort, CohortMember, PlatformAuditEvent, SettingValue, Tenant
from tenants.scope import control_scope


class ReasonMissing(ValueError):
    """An operator's write says why."""

    def __init__(self) -> None:
        super().__init__("Say why: a change needs its reason.")


class NothingSet(LookupError):
    """There is no value in that layer to remove."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to happen to one key in one place; `value` is checked already."""

    key: Key[Any]
    place: Place
    value: Any = None
    locked: bool = False
    expires_at: datetime | None = None
    removes: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: the row before and after as the audit trail has them (None: no value), and the version."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None
    version: int


def make_change(
    *,
    key: str,
    place: Place,
    value: Any,
    now: datetime,
    locked: bool = False,
    expires_at: datetime | None = None,
) -> Change:
    """Check a value for its place; a flag's platform value may be {"percent": n}.

    Raises UnknownKey, ClosedLayer, BadValue.
    """
    clean = check_value(key, value, place.layer)
    declared = find_key(key)
    if expires_at is not None and expires_at <= now:
        raise BadValue(key, _("The end must lie in the future."))
    if expires_at is not None and place == PLATFORM and declared.flag and declared.flag.ratchet:
        raise BadValue(key, _("What this flag gave is not taken back, so its share cannot end by itself."))
    return Change(declared, place, clean, locked, expires_at)


def make_removal(*, key: str, place: Place) -> Change:
    """Describe that a value is to go; raises UnknownKey."""
    return Change(find_key(key), place, removes=True)


def make_kill(*, flag: str, lift: bool = False) -> Change:
    """Describe that a flag goes off for everybody whatever any layer says, or that the layers decide again.

    Raises UnknownKey, ClosedLayer (a setting that is no flag).
    """
    key = find_key(flag)
    if key.flag is None:
        raise ClosedLayer(flag)
    return Change(key, KILLED, value=False, removes=lift)


def write_operator_setting(
    *, change: Change, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> Written:
    """Carry out a change; every request that starts after this returns sees it, in every process.

    `expected_version` is that of the value which was seen, 0 for none; without it the last writer wins.
    Raises ReasonMissing, SettingsConflict (with what the other one did), NothingSet.
    """
    if not reason.strip():
        raise ReasonMissing
    place, key = change.place, change.key
    with control_scope(), transaction.atomic():
        # The counter's row is locked from here on: whoever writes to the same place comes after us.
        version = bump_version(place)
        row = SettingValue.objects.filter(scope=place.layer, scope_id=place.scope_id, key=key.name).first()
        if expected_version is not None and expected_version != (row.version if row else 0):
            raise SettingsConflict(last_change(key, place))
        if row is None and change.removes:
            raise NothingSet(f"{key.name} has no value for {place.label}.")
        if place == PLATFORM and key.flag and key.flag.ratchet:
            _keep_whom_it_reached(change, row, version, by, now)
        before = _facts(row)
        row = _store(change, row, reason, by, version, now)
        record_control(
            _action(change),
            by=by,
            now=now,
            tenant_id=place.tenant_id,
            target=_target(key, place),
            reason=reason,
            before=before,
            after=_facts(row),
            visible_to_tenant=place.tenant_id is not None,
        )
    return Written(before, _facts(row), version)


def last_change(key: Key[Any], place: Place) -> PlatformAuditEvent | None:
    """Return what was last done to a key in a place by an operator."""
    return PlatformAuditEvent.objects.filter(target=_target(key, place)).order_by("-at", "-id").first()


def _store(
    change: Change, row: SettingValue | None, reason: str, by: Actor, version: int, now: datetime
) -> SettingValue | None:
    if change.removes:
        if row:
            row.delete()
        return None
    place = change.place
    values = {
        "value": change.value,
        "locked": change.locked,
        "expires_at": change.expires_at,
        "set_by": by.label[:200],
        "set_at": now,
        "reason": reason.strip()[:500],
        "version": version,
    }
    stored, _created = SettingValue.objects.update_or_create(
        scope=place.layer, scope_id=place.scope_id, key=change.key.name, defaults=values
    )
    return stored


def _keep_whom_it_reached(change: Change, row: SettingValue | None, version: int, by: Actor, now: datetime) -> None:
    """Grant a ratchet flag to every company that a smaller share would take it from (acceptance 30)."""
    default = change.key.default
    old = percent_of(row.value if row else default)
    new = percent_of(default if change.removes else change.value)
    if new >= old:
        return
    lost = range(round(new * 100), round(old * 100))
    everybody = Tenant.objects.exclude(lifecycle=Tenant.Lifecycle.DELETED).values_list("pk", flat=True)
    SettingValue.objects.bulk_create(
        [
            SettingValue(
                scope=SettingValue.Scope.GRANT,
                scope_id=str(tenant_id),
                key=change.key.name,
                value=True,
                set_by=by.label[:200],
                set_at=now,
                reason="kept when the share went down",
                version=version,
            )
            for tenant_id in everybody.iterator()
            if bucket(change.key.name, tenant_id) in lost
        ],
        ignore_conflicts=True,
    )


def _facts(row: SettingValue | None) -> dict[str, Any] | None:
    if row is None:
        return None
    ends = row.expires_at.isoformat() if row.expires_at else None
    return {"value": row.value, "locked": row.locked, "expires_at": ends, "version": row.version}


def _action(change: Change) -> str:
    if change.place == KILLED:
        return "flag.revived" if change.removes else "flag.killed"
    what = "flag" if change.key.flag else "setting"
    return f"{what}.{'unset' if change.removes else 'set'}"


def _target(key: Key[Any], place: Place) -> str:
    return f"{key.name} {place.target}"


# -- cohorts ---------------------------------------------------------------------------------------------------
def add_to_cohort(*, name: str, tenants: Sequence[Tenant], reason: str, by: Actor, now: datetime) -> Cohort:
    """Put companies into a cohort, which is made if need be, above those that exist; raises ReasonMissing."""
    if not reason.strip():
        raise ReasonMissing
    with control_scope(), transaction.atomic():
        rank = (Cohort.objects.aggregate(top=Max("rank"))["top"] or 0) + 1
        cohort, _created = Cohort.objects.get_or_create(name=name, defaults={"rank": rank, "created_at": now})
        for tenant in sorted(tenants, key=lambda each: each.pk):
            _member, joined = CohortMember.objects.get_or_create(
                cohort=cohort, tenant=tenant, defaults={"added_by": by.label[:200], "added_at": now}
            )
            if joined:
                _note_membership("cohort.joined", cohort, tenant, reason, by, now)
    return cohort


def remove_from_cohort(*, cohort: Cohort, tenants: Sequence[Tenant], reason: str, by: Actor, now: datetime) -> int:
    """Take companies out of a cohort and return how many were in it; raises ReasonMissing."""
    if not reason.strip():
        raise ReasonMissing
    gone = 0
    with control_scope(), transaction.atomic():
        for tenant in sorted(tenants, key=lambda each: each.pk):
            if CohortMember.objects.filter(cohort=cohort, tenant=tenant).delete()[0]:
                gone += 1
                _note_membership("cohort.left", cohort, tenant, reason, by, now)
    return gone


def _note_membership(action: str, cohort: Cohort, tenant: Tenant, reason: str, by: Actor, now: datetime) -> None:
    bump_config_version(tenant.pk)
    record_control(action, by=by, now=now, tenant_id=tenant.pk, target=cohort.name, reason=reason)
