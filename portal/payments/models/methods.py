"""Cards and bank accounts on file; numbers are Stripe's alone (CARD-01…09, PAY-20)."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7
from tenants.rows import TenantModel


class PaymentMethod(TenantModel):
    """A card or bank account that a customer keeps with the company.

    The row exists before Stripe is asked: its id is the idempotency key of the call, `request` is what is sent, so that
    a lost answer can be asked for again. An ended row stays: payments of the past were made with it.
    """

    class Kind(models.TextChoices):
        CARD = "card"
        BANK = "us_bank_account"

    class State(models.TextChoices):
        ADDING = "adding"
        VERIFYING = "verifying"
        ACTIVE = "active"
        INVALID = "invalid"
        FAILED = "failed"
        DETACHED = "detached"

    LIVE = (State.VERIFYING, State.ACTIVE, State.INVALID)
    UNSETTLED = (State.ADDING, State.VERIFYING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bill_to = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="payment_methods")
    added_by = models.ForeignKey(
        "accounts.PortalUser", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=20, choices=Kind, blank=True, default="")
    brand = models.CharField(max_length=60, blank=True, default="")
    last4 = models.CharField(max_length=4, blank=True, default="")
    exp_month = models.SmallIntegerField(null=True)
    exp_year = models.SmallIntegerField(null=True)
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=10, choices=State, default=State.ADDING)
    is_default = models.BooleanField(default=False)
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    form_key = models.UUIDField(unique=True, null=True)
    request = models.JSONField(default=dict)
    stripe_si_id = models.CharField(max_length=64, unique=True, null=True)
    stripe_pm_id = models.CharField(max_length=64, unique=True, null=True)
    verify_url = models.URLField(max_length=500, blank=True, default="")
    failure_code = models.CharField(max_length=60, blank=True, default="")
    decline_code = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="customer_has_one_default_method", fields=["bill_to"], condition=Q(is_default=True)
            ),
            models.CheckConstraint(
                name="only_an_active_method_is_the_default", condition=Q(is_default=False) | Q(state="active")
            ),
            models.CheckConstraint(
                name="active_method_is_known_to_stripe",
                condition=~Q(state="active") | Q(stripe_pm_id__isnull=False, activated_at__isnull=False),
            ),
            models.CheckConstraint(
                name="ended_method_has_date",
                condition=~Q(state__in=["failed", "detached"]) | Q(ended_at__isnull=False),
            ),
        ]

    @property
    def shown(self) -> dict[str, str]:
        """Return what payments, pages and mails show of it."""
        return {"kind": self.kind, "brand": self.brand if self.kind == self.Kind.CARD else "", "last4": self.last4}

    @property
    def is_usable(self) -> bool:
        """Whether a payment can be made with it."""
        return self.state == self.State.ACTIVE
