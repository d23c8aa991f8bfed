"""Suspends and reopens a company: one hold per reason, open only when none is left (platform.md 3.3)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from console.words import say
from tenants.audit import Actor, record_control
from tenants.models import Hold, Tenant


class HoldRefused(Exception):
    """The hold cannot be added or released; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def add_hold(*, tenant: Tenant, kind: str, reason: str, by: Actor, now: datetime) -> Hold:
    """Close a company for one reason from its next request on; raises HoldRefused (lifecycle, reason, twice)."""
    refusal = _why_not(tenant, kind, reason)
    if refusal:
        record_control("tenant.hold", by=by, now=now, tenant_id=tenant.pk, target=kind, reason=reason, result="denied")
        raise HoldRefused(refusal)
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        if Hold.objects.filter(tenant=tenant, kind=kind, released_at__isnull=True).exists():
            raise HoldRefused(_("There is already an open hold of this kind."))
        hold = Hold.objects.create(tenant=tenant, kind=kind, reason=reason.strip(), opened_by=by.label, opened_at=now)
        _note_change(tenant.pk)
        record_control(
            "tenant.hold", by=by, now=now, tenant_id=tenant.pk, target=kind, reason=reason, visible_to_tenant=True
        )
    return hold


def release_hold(*, hold: Hold, reason: str, by: Actor, now: datetime) -> None:
    """Take one reason away; the company opens when none is left. Raises HoldRefused when it was released before."""
    with transaction.atomic():
        changed = Hold.objects.filter(pk=hold.pk, released_at__isnull=True).update(
            released_at=now, released_by=by.label
        )
        if not changed:
            raise HoldRefused(_("This hold was released before."))
        _note_change(hold.tenant_id)
        record_control(
            "tenant.release",
            by=by,
            now=now,
            tenant_id=hold.tenant_id,
            target=hold.kind,
            reason=reason,
            visible_to_tenant=True,
        )


def _why_not(tenant: Tenant, kind: str, reason: str) -> str:
    if kind not in Hold.Kind.values:
        return _("There is no such kind of hold.")
    if not reason.strip():
        return _("Write a reason; the company’s owner sees it.")
    if tenant.lifecycle != Tenant.Lifecycle.ACTIVE:
        return _("Only an active company can be held; this one is %(state)s.") % {
            "state": say(tenant.get_lifecycle_display()).lower()
        }
    return ""


def _note_change(tenant_id: UUID) -> None:
    Tenant.objects.filter(pk=tenant_id).update(config_version=F("config_version") + 1)
