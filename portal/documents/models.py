"""Files of a company: logos now, documents and photos as they come."""

from django.db import models

from infra.ids import uuid7
from tenants.rows import TenantModel


class MediaItem(TenantModel):
    """One stored file; its key is random, never a name a user chose (UPL-07)."""

    class Kind(models.TextChoices):
        LOGO = "logo"
        DOCUMENT = "document"
        PHOTO = "photo"
        STATEMENT = "statement"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    title = models.CharField(max_length=200, blank=True, default="")
    storage_key = models.CharField(max_length=120, unique=True)
    content_type = models.CharField(max_length=80)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    owner_kind = models.CharField(max_length=20, blank=True, default="")
    owner_id = models.UUIDField(null=True)
    shared_with_customer = models.BooleanField(default=False)
    shared_at = models.DateTimeField(null=True)
    shared_by = models.UUIDField(null=True)
    billing_related = models.BooleanField(default=False)
    details = models.JSONField(default=dict)
    expires_on = models.DateField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="shared_file_has_date",
                condition=models.Q(shared_with_customer=False) | models.Q(shared_at__isnull=False),
            )
        ]
