"""Who did what: one row in the same transaction as the deed (platform.md 3.12, CON-07)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import connection, models

from tenants.models import PlatformAuditEvent
from tenants.schema.models import AuditEvent
from tenants.scope import current_scope

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


def first_key_of(moment: datetime) -> UUID:
    """Return the smallest UUIDv7 of a moment. Pure."""
    millis = int(moment.timestamp() * 1000)
    return UUID(int=(millis & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | 0b10 << 62)


def count_events(action: str, *, since: datetime, **where: UUID | str | None) -> int:
    """Return how often something was done lately; limits are counted in the audit itself (AUN-18, AUN-19)."""
    # Keys are ordered by time, so the primary key's index finds the last minutes without one of its own.
    return AuditEvent.objects.filter(pk__gte=first_key_of(since), action=action, at__gt=since, **where).count()


def wait_for_turn(subject: str) -> None:
    """Let deeds on one subject wait for each other until the transaction ends.

    Side by side they would not see one another's rows, and a limit would be none.
    """
    key = hashlib.sha256(f"{current_scope().tenant_id}:{subject}".encode()).digest()[:8]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(key, "big", signed=True)])


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
