"""What one portal user may do for one customer."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7
from tenants.rows import TenantModel


class PortalAccess(TenantModel):
    """The grant that joins a portal user and a customer (datamodel.md 2.4, ENR-02…09)."""

    class Level(models.TextChoices):
        BILLING = "billing"
        NON_BILLING = "non_billing"

    class Status(models.TextChoices):
        REQUESTED = "requested"
        INVITED = "invited"
        ACTIVE = "active"
        SUSPENDED = "suspended"
        REVOKED = "revoked"

    class Origin(models.TextChoices):
        STAFF = "staff"
        BULK = "bulk"
        AUTO = "auto"
        SELF_MATCH = "self_match"
        REQUEST = "request"
        DELEGATED = "delegated"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portal_user = models.ForeignKey("accounts.PortalUser", on_delete=models.CASCADE, related_name="accesses")
    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="accesses")
    contact = models.ForeignKey(
        "customers.Contact", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    level = models.CharField(max_length=12, choices=Level, default=Level.BILLING)
    location_levels = models.JSONField(default=dict)
    capabilities = models.JSONField(default=dict)
    approve_limit_cents = models.PositiveBigIntegerField(null=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.INVITED)
    memo = models.CharField(max_length=1000, blank=True, default="")
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.STAFF)
    invited_by = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    invited_at = models.DateTimeField(null=True)
    activated_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="person_has_one_access_per_customer", fields=["portal_user", "customer"]),
            models.CheckConstraint(
                name="active_access_has_date", condition=~Q(status="active") | Q(activated_at__isnull=False)
            ),
            models.CheckConstraint(
                name="invited_access_has_date", condition=~Q(status="invited") | Q(invited_at__isnull=False)
            ),
            models.CheckConstraint(
                name="revoked_access_has_date", condition=~Q(status="revoked") | Q(revoked_at__isnull=False)
            ),
        ]
