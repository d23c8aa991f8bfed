"""What Stripe told us, kept before we answer (payments.md 3c)."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7


class WebhookInbox(models.Model):
    """One event, however often it was delivered."""

    class State(models.TextChoices):
        RECEIVED = "received"
        DONE = "done"
        IGNORED = "ignored"
        PARKED = "parked"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event_id = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=10)
    account_id = models.CharField(max_length=64, blank=True, default="")
    tenant_id = models.UUIDField(null=True)
    type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=64, blank=True, default="")
    object_type = models.CharField(max_length=40, blank=True, default="")
    livemode = models.BooleanField()
    api_version = models.CharField(max_length=40, blank=True, default="")
    stripe_created = models.DateTimeField(null=True)
    payload = models.JSONField()
    deliveries = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=8, choices=State, default=State.RECEIVED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="inbox_due", condition=Q(state__in=["received", "failed"]))]
        constraints = [
            models.CheckConstraint(name="done_event_has_date", condition=~Q(state="done") | Q(done_at__isnull=False))
        ]


class StripeCursor(models.Model):
    """How far an account's event list has been read by reconciliation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=20)
    last_created = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="account_has_one_cursor", fields=["account_id", "kind"])]
