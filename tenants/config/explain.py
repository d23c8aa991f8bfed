"""Why a key has its value, whom a change would reach, and who changed what: read on the control plane."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from tenants.config.layers import ORDER, Evaluation, LayerValue, Weighed, evaluate, weigh
from tenants.config.operators import Change
from tenants.config.places import EVERYBODY_LAYERS, as_layer_value, rows_of
from tenants.config.registry import REGISTRY, Key
from tenants.models import CohortMember, PlatformAuditEvent, SettingValue, Tenant


@dataclass(frozen=True, slots=True)
class Explanation:
    """The value that counts, and every other one, highest layer first, with what became of it."""

    key: Key[Any]
    result: Evaluation
    layers: list[Weighed]

    @property
    def winner(self) -> LayerValue:
        """The stored value that counts; the declaration's own has nobody who set it."""
        return next(each.row for each in self.layers if each.outcome == "wins")


@dataclass(frozen=True, slots=True)
class Impact:
    """How many of the active companies a change gives another value."""

    changed: int
    total: int


def explain(key: Key[Any], tenant: Tenant | None, now: datetime) -> Explanation:
    """Return why a company has this value, or what somebody has for whom nothing special is set."""
    if tenant:
        rows = rows_of(tenant.pk, tenant.plan_id, key.name)
    else:
        rows = [as_layer_value(row) for row in SettingValue.objects.filter(key=key.name, scope__in=EVERYBODY_LAYERS)]
    weighed = weigh(key, rows, tenant.pk if tenant else None, now)
    return Explanation(key, evaluate(weighed), weighed)


def explain_all(tenant: Tenant, now: datetime) -> list[Explanation]:
    """Return why a company has its value of every declared key, by name; one read."""
    by_key: defaultdict[str, list[LayerValue]] = defaultdict(list)
    for row in rows_of(tenant.pk, tenant.plan_id):
        by_key[row.key].append(row)
    found = []
    for name, key in sorted(REGISTRY.items()):
        weighed = weigh(key, by_key[name], tenant.pk, now)
        found.append(Explanation(key, evaluate(weighed), weighed))
    return found


def stored_values(key: Key[Any], tenant: Tenant | None) -> list[LayerValue]:
    """Return what is stored of a key for all (platform, plans, cohorts, kill), and for one company if asked."""
    shared = Q(scope__in=[*EVERYBODY_LAYERS, "plan", "cohort"])
    own = Q(scope__in=["grant", "operator", "owner"], scope_id=str(tenant.pk)) if tenant else Q(pk=None)
    rows = [as_layer_value(row) for row in SettingValue.objects.filter(shared | own, key=key.name)]
    return sorted(rows, key=lambda row: (ORDER[row.layer], row.scope_id))


def measure_impact(change: Change, now: datetime) -> Impact:
    """Return whom a change would reach, before it is made."""
    key, place = change.key, change.place
    by_place: defaultdict[tuple[str, str], list[LayerValue]] = defaultdict(list)
    for row in SettingValue.objects.filter(key=key.name):
        by_place[(row.scope, row.scope_id)].append(as_layer_value(row))
    cohorts: defaultdict[Any, list[tuple[str, int]]] = defaultdict(list)
    for tenant_id, name, rank in CohortMember.objects.values_list("tenant_id", "cohort_id", "cohort__rank"):
        cohorts[tenant_id].append((name, rank))
    new = LayerValue(key.name, place.layer, change.value, change.locked, change.expires_at, scope_id=place.scope_id)
    changed = total = 0
    for tenant_id, plan_id in Tenant.objects.filter(lifecycle="active").values_list("pk", "plan_id").iterator():
        own = str(tenant_id)
        places = [("platform", "", 0), ("kill", "", 0), ("plan", str(plan_id), 0)]
        places += [(layer, own, 0) for layer in ("grant", "operator", "owner")]
        places += [("cohort", name, rank) for name, rank in cohorts[tenant_id]]
        before = [replace(row, rank=rank) for layer, who, rank in places for row in by_place.get((layer, who), ())]
        after = [row for row in before if (row.layer, row.scope_id) != (place.layer, place.scope_id)]
        if not change.removes:
            after += [
                replace(new, rank=rank) for layer, who, rank in places if (layer, who) == (new.layer, new.scope_id)
            ]
        was = evaluate(weigh(key, before, tenant_id, now)).value
        changed += was != evaluate(weigh(key, after, tenant_id, now)).value
        total += 1
    return Impact(changed, total)


def history(key: Key[Any], tenant: Tenant | None) -> QuerySet[PlatformAuditEvent]:
    """Return the changes of a key, newest first; of one company: its own and those that reach everybody."""
    found = PlatformAuditEvent.objects.filter(
        Q(target__startswith=f"{key.name} ") | Q(action="settings.changed", after__has_key=key.name)
    )
    if tenant:
        found = found.filter(Q(tenant_id=tenant.pk) | Q(tenant_id=None))
    return found.order_by("-at", "-id")
