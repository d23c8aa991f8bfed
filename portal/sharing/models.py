"""Links that open exactly one record to whoever holds them."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7
from tenants.rows import TenantModel


class ShareLink(TenantModel):
    """One link to one record; only its hash is kept (datamodel.md 2.5, 4.16, AUZ-05, AUZ-06).

    `recipient` is where it was mailed and where alone a fresh one may go; `expires_at` is empty for a link without end.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice"
        ESTIMATE = "estimate"

    class Channel(models.TextChoices):
        EMAIL = "email"
        COPIED = "copied"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=24, choices=Kind)
    invoice = models.ForeignKey("invoices.Invoice", on_delete=models.CASCADE, null=True, related_name="share_links")
    estimate = models.ForeignKey("estimates.Estimate", on_delete=models.CASCADE, null=True, related_name="share_links")
    token_hash = models.BinaryField(max_length=32, unique=True)
    channel = models.CharField(max_length=8, choices=Channel)
    recipient = models.EmailField(blank=True, default="")
    created_by = models.UUIDField(null=True)
    created_by_name = models.CharField(max_length=120, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    opened_count = models.PositiveIntegerField(default=0)
    last_opened_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="share_link_names_its_record",
                condition=Q(kind="invoice", invoice__isnull=False, estimate=None)
                | Q(kind="estimate", estimate__isnull=False, invoice=None),
            ),
            models.CheckConstraint(name="mailed_link_has_recipient", condition=~Q(channel="email") | ~Q(recipient="")),
        ]
