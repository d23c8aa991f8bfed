"""The platform's audit trail and its outbox of effects."""

from django.db import models

from infra.ids import uuid7


class PlatformAuditEvent(models.Model):
    """One control-plane action, refused or done; rows are only ever inserted (platform.md 3.12)."""

    class Result(models.TextChoices):
        OK = "ok"
        DENIED = "denied"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    actor_label = models.CharField(max_length=200, blank=True, default="")
    surface = models.CharField(max_length=12, default="web")
    action = models.CharField(max_length=80)
    tenant_id = models.UUIDField(null=True, db_index=True)
    target = models.CharField(max_length=200, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    result = models.CharField(max_length=8, choices=Result, default=Result.OK)
    visible_to_tenant = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(name="audit_by_tenant_and_time", fields=["tenant_id", "-at"])]


class ControlOutbox(models.Model):
    """An effect of a control-plane change that must happen outside the database (reliability.md 4)."""

    class State(models.TextChoices):
        WAITING = "waiting"
        CLAIMED = "claimed"
        DONE = "done"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    topic = models.CharField(max_length=60)
    key = models.CharField(max_length=120, unique=True)
    tenant_id = models.UUIDField(null=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                name="control_outbox_due",
                fields=["next_at"],
                condition=models.Q(state__in=["waiting", "claimed"]),
            )
        ]
