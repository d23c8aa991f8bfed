"""What a company pays us, and the account into which its customers pay it."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7


class Plan(models.Model):
    """A published offer. Published versions are immutable; a tenant pins one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(max_length=40)
    version = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=60)
    price_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="USD")
    trial_days = models.PositiveSmallIntegerField()
    application_fee_bps = models.PositiveSmallIntegerField(default=0)
    is_offered = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="plan_version_is_unique", fields=["code", "version"]),
            models.CheckConstraint(
                name="application_fee_is_at_most_ten_percent", condition=Q(application_fee_bps__lte=1000)
            ),
        ]


class PaymentAccount(models.Model):
    """A tenant's connected Stripe account; one account belongs to one tenant for ever (PAY-17)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.OneToOneField("tenants.Tenant", on_delete=models.PROTECT, related_name="payment_account")
    account_id = models.CharField(max_length=64, unique=True)
    livemode = models.BooleanField(default=False)
    card_payments = models.CharField(max_length=24, default="inactive")
    details_submitted = models.BooleanField(default=False)
    requirements = models.JSONField(default=list)
    checked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True)
