"""Who did what: one row in the same transaction as the deed (platform.md 3.12, CON-07)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import models

from tenants.models import PlatformAuditEvent
from tenants.schema.models import AuditEvent

ActorKind = Literal["staff", "customer", "operator", "system", "visitor"]
Surface = Literal["web", "cli", "api", "job", "webhook", "migration"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody, or our own system, on whose behalf a service acts."""

    kind: ActorKind
    id: UUID | None = None
    label: str = ""
    ip: str | None = None
    request_id: str = ""
    surface: Surface = "web"


SYSTEM = Actor("system", None, "Porchlight", surface="job")


def record(
    action: str,
    *,
    by: Actor,
    now: datetime,
    target: models.Model | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write the audit row of a deed in the tenant's schema."""
    AuditEvent.objects.create(
        at=now,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_label=by.label[:200],
        action=action,
        object_kind=target._meta.label_lower if target else "",
        object_id=target.pk if target and isinstance(target.pk, UUID) else None,
        before=before,
        after=after,
        ip=by.ip,
        request_id=by.request_id,
    )


def record_control(
    action: str,
    *,
    by: Actor,
    now: datetime,
    tenant_id: UUID | None = None,
    target: str = "",
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    result: str = "ok",
    visible_to_tenant: bool = False,
    surface: Surface | None = None,
) -> None:
    """Write the audit row of a deed in the control plane."""
    PlatformAuditEvent.objects.bulk_create(
        [
            PlatformAuditEvent(
                at=now,
                actor_kind=by.kind,
                actor_id=str(by.id or ""),
                actor_label=by.label[:200],
                surface=surface or by.surface,
                action=action,
                tenant_id=tenant_id,
                target=target[:200],
                reason=reason[:500],
                request_id=by.request_id,
                before=before,
                after=after,
                result=result,
                visible_to_tenant=visible_to_tenant,
            )
        ]
    )
