"""Money that came in: payments, what they pay, and what is left of them as credit (payments.md 3b)."""

from django.db import models
from django.db.models import F, Q

from infra.ids import uuid7
from portal.payments.models.attempts import PaymentAttempt
from tenants.rows import TenantModel


class Payment(TenantModel):
    """Money that is coming or has come; one per PaymentIntent, or recorded by the office."""

    class Status(models.TextChoices):
        PROCESSING = "processing"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        PARTIALLY_REFUNDED = "partially_refunded"
        REFUNDED = "refunded"
        DISPUTED = "disputed"
        WON = "won"
        LOST = "lost"
        REVERSED = "reversed"

    class Origin(models.TextChoices):
        PORTAL = "portal"
        LINK = "link"
        OFFICE = "office"
        AUTOPAY = "autopay"
        FIELD = "field"
        ADOPTED = "adopted"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bill_to = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="payments")
    attempt = models.OneToOneField(PaymentAttempt, on_delete=models.PROTECT, null=True, related_name="payment")
    origin = models.CharField(max_length=8, choices=Origin)
    status = models.CharField(max_length=20, choices=Status)
    amount_cents = models.BigIntegerField()
    tip_cents = models.BigIntegerField(default=0)
    fee_cents = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    received_cents = models.BigIntegerField(default=0)
    allocated_cents = models.BigIntegerField(default=0)
    refunded_cents = models.BigIntegerField(default=0)
    disputed_out_cents = models.BigIntegerField(default=0)
    method = models.JSONField(default=dict)
    receipt_no = models.CharField(max_length=20, unique=True, null=True)
    stripe_pi_id = models.CharField(max_length=64, unique=True, null=True)
    stripe_charge_id = models.CharField(max_length=64, unique=True, null=True)
    stripe_balance_txn = models.CharField(max_length=64, unique=True, null=True)
    failure_code = models.CharField(max_length=60, blank=True, default="")
    note = models.CharField(max_length=300, blank=True, default="", db_default="")
    initiated_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payment_amount_is_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="payment_is_not_allocated_beyond_its_amount",
                condition=Q(allocated_cents__gte=0, allocated_cents__lte=F("amount_cents")),
            ),
            models.CheckConstraint(
                name="payment_is_not_refunded_beyond_what_was_received",
                condition=Q(
                    refunded_cents__gte=0,
                    refunded_cents__lte=F("received_cents"),
                    received_cents__lte=F("amount_cents"),
                    disputed_out_cents__gte=0,
                    disputed_out_cents__lte=F("received_cents"),
                ),
            ),
            models.CheckConstraint(
                name="succeeded_payment_has_date_and_receipt",
                condition=~Q(status="succeeded") | Q(succeeded_at__isnull=False, receipt_no__isnull=False),
            ),
        ]


class PaymentAllocation(TenantModel):
    """Which part of a payment pays which invoice; append-only, a reversal is a row of its own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey("invoices.Invoice", on_delete=models.PROTECT, null=True, related_name="allocations")
    estimate_id = models.UUIDField(null=True)
    amount_cents = models.BigIntegerField()
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="allocation_amount_is_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="allocation_has_one_target",
                condition=Q(invoice__isnull=False, estimate_id__isnull=True)
                | Q(invoice__isnull=True, estimate_id__isnull=False),
            ),
        ]


class Credit(TenantModel):
    """Money of the customer that is not yet applied to an invoice."""

    class Origin(models.TextChoices):
        OVERPAYMENT = "overpayment"
        DEPOSIT = "deposit"
        GOODWILL = "goodwill"
        CREDIT_NOTE = "credit_note"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="credits")
    origin = models.CharField(max_length=12, choices=Origin)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="credits", db_index=False)
    amount_cents = models.BigIntegerField()
    remaining_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    note = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="credit_remainder_fits_its_amount",
                condition=Q(amount_cents__gt=0, remaining_cents__gte=0, remaining_cents__lte=F("amount_cents")),
            )
        ]
