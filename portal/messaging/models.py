"""Every message that left for a customer or a staff member, with what became of it."""

from django.db import models

from infra.ids import uuid7
from tenants.rows import TenantModel


class OutboundMessage(TenantModel):
    """One mail (later SMS). The text is kept without links that sign in; those exist only in the mail (AUN-16)."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENT = "sent"
        DELIVERED = "delivered"
        BOUNCED = "bounced"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=8, default="email")
    to = models.CharField(max_length=254)
    language = models.CharField(max_length=12, blank=True, default="")
    subject = models.CharField(max_length=300)
    text = models.TextField(blank=True, default="")
    event_key = models.CharField(max_length=160, unique=True)
    message_id = models.CharField(max_length=200)
    related_kind = models.CharField(max_length=40, blank=True, default="")
    related_id = models.UUIDField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    provider_id = models.CharField(max_length=120, blank=True, default="")
    events = models.JSONField(default=list)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["related_id", "-created_at"], name="message_by_subject")]
