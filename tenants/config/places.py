"""For whom a stored value speaks: everybody, a plan, a cohort, one company."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from tenants.config.layers import LayerValue
from tenants.models import Cohort, CohortMember, Plan, SettingValue, Tenant

EVERYBODY_LAYERS = (SettingValue.Scope.PLATFORM, SettingValue.Scope.KILL)


@dataclass(frozen=True, slots=True)
class Place:
    """One layer, for one subject; `tenant_id` says whose version a write moves, None that it moves the epoch."""

    layer: str
    scope_id: str
    label: str
    tenant_id: UUID | None = None

    @property
    def target(self) -> str:
        """The words for it in the audit trail."""
        return f"{self.layer}:{self.scope_id}" if self.scope_id else self.layer


PLATFORM = Place("platform", "", "everybody")
KILLED = Place("kill", "", "everybody")


def plan_place(plan: Plan) -> Place:
    """Return the layer of one version of a plan."""
    return Place("plan", str(plan.pk), f"plan {plan.code} {plan.version}")


def cohort_place(cohort: Cohort) -> Place:
    """Return the layer of a cohort."""
    return Place("cohort", cohort.name, f"cohort {cohort.name}")


def company_place(tenant: Tenant) -> Place:
    """Return what operators set for one company."""
    return Place("operator", str(tenant.pk), f"company {tenant.slug}", tenant.pk)


def bump_config_version(tenant_id: UUID) -> int:
    """Move the company's version in the open transaction and return it; whoever else writes waits until its end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tenants_tenant SET config_version = config_version + 1 WHERE id = %s RETURNING config_version",
            [tenant_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise Tenant.DoesNotExist(tenant_id)
    return int(row[0])


def bump_flag_epoch() -> int:
    """Move the version of what all companies share, in the open transaction, and return it."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_epoch SET flag_epoch = flag_epoch + 1 RETURNING flag_epoch")
        row = cursor.fetchone()
    assert row is not None, "migration 0002 makes the row"
    return int(row[0])


def bump_version(place: Place) -> int:
    """Move the version that makes every process read this place again; returns it."""
    return bump_flag_epoch() if place.tenant_id is None else bump_config_version(place.tenant_id)


# -- reading, on the control plane ----------------------------------------------------------------------------
def rows_of(tenant_id: UUID, plan_id: UUID, key: str | None = None) -> list[LayerValue]:
    """Return every stored value, of one key or of all, that speaks to a company, with who set it and why."""
    ranks = dict(CohortMember.objects.filter(tenant_id=tenant_id).values_list("cohort_id", "cohort__rank"))
    own = Q(scope__in=["grant", "operator", "owner"], scope_id=str(tenant_id))
    places = Q(scope__in=EVERYBODY_LAYERS) | Q(scope="plan", scope_id=str(plan_id)) | own
    found = SettingValue.objects.filter(places | Q(scope="cohort", scope_id__in=ranks))
    if key is not None:
        found = found.filter(key=key)
    return [as_layer_value(row, ranks.get(row.scope_id, 0) if row.scope == "cohort" else 0) for row in found]


def as_layer_value(row: SettingValue, rank: int = 0) -> LayerValue:
    """Return a stored row as the pure part of settings knows it."""
    facts: dict[str, Any] = {
        name: getattr(row, name)
        for name in ("key", "value", "locked", "expires_at", "scope_id", "version", "set_by", "set_at", "reason")
    }
    return LayerValue(layer=row.scope, rank=rank, **facts)
