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
    # Stripe's word for bank debits; empty until they are asked for.
    bank_payments = models.CharField(max_length=24, blank=True, default="", db_default="")
    details_submitted = models.BooleanField(default=False)
    requirements = models.JSONField(default=list)
    checked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True)


class Subscription(models.Model):
    """What a company owes us: Stripe's subscription mirrored, never edited by hand; trial and reminders are ours.

    `status` is Stripe's own word, empty before the first subscription. `owing_since` begins an unpaid time; notices,
    and in the end the hold of the office, belong to it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.OneToOneField("tenants.Tenant", on_delete=models.PROTECT, related_name="subscription")
    trial_ends_at = models.DateTimeField()
    trial_noticed_for = models.DateTimeField(null=True)
    stripe_customer_id = models.CharField(max_length=64, unique=True, null=True)
    stripe_subscription_id = models.CharField(max_length=64, unique=True, null=True)
    checkout_session_id = models.CharField(max_length=120, blank=True, default="")
    status = models.CharField(max_length=24, blank=True, default="")
    livemode = models.BooleanField(default=False)
    current_period_end = models.DateTimeField(null=True)
    cancels_at = models.DateTimeField(null=True)
    mirror_version = models.BigIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    owing_since = models.DateTimeField(null=True)
    notices = models.PositiveSmallIntegerField(default=0)
    noticed_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="subscription_status_comes_from_stripe",
                condition=Q(status="") | Q(stripe_subscription_id__isnull=False, stripe_customer_id__isnull=False),
            ),
            models.CheckConstraint(
                name="reminders_belong_to_an_unpaid_time",
                condition=Q(owing_since__isnull=True, notices=0, noticed_at__isnull=True, held_at__isnull=True)
                | Q(owing_since__isnull=False, notices__gte=1, noticed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="office_is_held_after_two_notices", condition=Q(held_at__isnull=True) | Q(notices__gte=2)
            ),
        ]
