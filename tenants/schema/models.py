"""Core tables of a tenant schema: identity proof, outbox, audit, idempotency marks, number sequences."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7
from tenants.rows import TenantModel


class TenantIdentity(TenantModel):
    """The one row that proves which schema this is (S7, ISO-03)."""

    tenant_id = models.UUIDField(primary_key=True)
    schema_name = models.CharField(max_length=34)
    created_by_run = models.UUIDField(null=True)

    class Meta:
        db_table = "tenant_identity"


class OutboxEvent(TenantModel):
    """An effect of a change in this schema, written with it and delivered after it (reliability.md 4)."""

    class State(models.TextChoices):
        WAITING = "waiting"
        CLAIMED = "claimed"
        DONE = "done"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    type = models.CharField(max_length=60)
    key = models.CharField(max_length=160, unique=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(name="outbox_due", fields=["next_at"], condition=Q(state__in=["waiting", "claimed"]))]


class AuditEvent(TenantModel):
    """Who did what to which record of this company; rows are only ever inserted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=200, blank=True, default="")
    action = models.CharField(max_length=80)
    object_kind = models.CharField(max_length=40, blank=True, default="")
    object_id = models.UUIDField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    ip = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        indexes = [models.Index(name="audit_by_object", fields=["object_id", "-at"])]


class IdempotencyKey(TenantModel):
    """A mark that something was done once: seed parts, periods of jobs, keys of requests."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    scope = models.CharField(max_length=40)
    key = models.CharField(max_length=160)
    response = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="idempotency_key_is_used_once", fields=["scope", "key"])]


class NumberSequence(TenantModel):
    """The next human number of one kind of document; taken FOR UPDATE, never reused."""

    kind = models.CharField(primary_key=True, max_length=20)
    next_number = models.PositiveBigIntegerField(default=1001)
