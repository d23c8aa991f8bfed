"""Attempts to pay: what was decided before Stripe was asked (payments.md 3b)."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7
from tenants.rows import TenantModel


class PaymentAttempt(TenantModel):
    """One try to pay; its id is the idempotency key of the call to Stripe (Decided 19).

    `plan` is the list of {"invoice": id, "amount_cents": n} decided under lock; `request` (all but the token) and
    `request_hash` are stored before the call: it can be repeated to the letter, and other parameters are recognised.
    """

    class State(models.TextChoices):
        CREATED = "created"
        SUBMITTED = "submitted"
        REQUIRES_ACTION = "requires_action"
        PROCESSING = "processing"
        UNKNOWN = "unknown"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        EXPIRED = "expired"

    OPEN = (State.SUBMITTED, State.REQUIRES_ACTION, State.UNKNOWN)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bill_to = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="+")
    portal_user = models.ForeignKey(
        "accounts.PortalUser", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    share_link_id = models.UUIDField(null=True)
    payer_name = models.CharField(max_length=120, blank=True, default="", db_default="")
    payer_email = models.CharField(max_length=254, blank=True, default="", db_default="")
    payer_browser = models.BinaryField(max_length=32, null=True)
    mandate_id = models.UUIDField(null=True)
    form_key = models.UUIDField(unique=True)
    plan = models.JSONField()
    plan_hash = models.CharField(max_length=64)
    request = models.JSONField(default=dict)
    request_hash = models.CharField(max_length=64, blank=True, default="")
    method_id = models.UUIDField(null=True)
    method_kind = models.CharField(max_length=20, blank=True, default="")
    amount_cents = models.BigIntegerField()
    fee_cents = models.BigIntegerField(default=0)
    tip_cents = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16, choices=State, default=State.CREATED)
    confirmation_token = models.CharField(max_length=64, blank=True, default="")
    stripe_pi_id = models.CharField(max_length=64, unique=True, null=True)
    client_secret_hint = models.CharField(max_length=8, blank=True, default="")
    failure_code = models.CharField(max_length=60, blank=True, default="")
    decline_code = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="attempt_open",
                condition=Q(state__in=["submitted", "requires_action", "unknown", "processing"]),
            )
        ]
        constraints = [
            models.CheckConstraint(name="attempt_amount_is_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="submitted_attempt_has_request_hash", condition=Q(state="created") | ~Q(request_hash="")
            ),
            models.CheckConstraint(
                name="closed_attempt_has_date",
                condition=~Q(state__in=["succeeded", "failed", "expired"]) | Q(closed_at__isnull=False),
            ),
        ]
