"""Money from customers: attempts to pay, payments, their allocation, credits and the journal (payments.md 3b)."""

from django.db import models
from django.db.models import F, Q

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
    mandate_id = models.UUIDField(null=True)
    form_key = models.UUIDField(unique=True)
    plan = models.JSONField()
    plan_hash = models.CharField(max_length=64)
    request = models.JSONField(default=dict)
    request_hash = models.CharField(max_length=64, blank=True, default="")
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


class Refund(TenantModel):
    """Money given back; its id is the idempotency key of the call to Stripe (Decided 19).

    `lines` is the list of {"invoice": id or None for credit, "amount_cents": n, "effect": "reopen" | "keep"}: it says
    which invoice becomes due again and which stays paid. It counts from the moment it is asked for, and is given back
    to the payment when it fails.
    """

    class State(models.TextChoices):
        REQUESTED = "requested"
        PENDING = "pending"
        REQUIRES_ACTION = "requires_action"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELED = "canceled"

    class Origin(models.TextChoices):
        OFFICE = "office"
        DASHBOARD = "dashboard"
        CORRECTION = "correction"

    class Reason(models.TextChoices):
        CUSTOMER = "requested_by_customer"
        DUPLICATE = "duplicate"
        GOODWILL = "goodwill"
        MISTAKE = "mistake"
        OTHER = "other"

    OPEN = (State.REQUESTED, State.PENDING, State.REQUIRES_ACTION)
    ENDED = (State.FAILED, State.CANCELED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16, choices=State, default=State.REQUESTED)
    origin = models.CharField(max_length=10, choices=Origin)
    reason = models.CharField(max_length=24, choices=Reason)
    note = models.CharField(max_length=300, blank=True, default="")
    lines = models.JSONField(default=list)
    form_key = models.UUIDField(unique=True, null=True)
    request = models.JSONField(default=dict)
    request_hash = models.CharField(max_length=64, blank=True, default="")
    stripe_refund_id = models.CharField(max_length=64, unique=True, null=True)
    stripe_balance_txn = models.CharField(max_length=64, unique=True, null=True)
    failure_txn = models.CharField(max_length=64, unique=True, null=True)
    failure_code = models.CharField(max_length=60, blank=True, default="")
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"],
                name="refund_open",
                condition=Q(state__in=["requested", "pending", "requires_action"]),
            )
        ]
        constraints = [
            models.CheckConstraint(name="refund_amount_is_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="requested_refund_has_request_hash", condition=~Q(state="requested") | ~Q(request_hash="")
            ),
            models.CheckConstraint(
                name="ended_refund_has_date",
                condition=~Q(state__in=["succeeded", "failed", "canceled"]) | Q(closed_at__isnull=False),
            ),
        ]


class Dispute(TenantModel):
    """A payer's bank wants the money back, or has taken it; `withdrawn_cents` is what is out now (F17, F20, F26).

    `status` is Stripe's own word. Money moves by the movements of Stripe's balance alone, never by the status.
    """

    CLOSED = ("won", "lost", "warning_closed", "prevented")
    INQUIRIES = ("warning_needs_response", "warning_under_review", "warning_closed", "prevented")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    stripe_dispute_id = models.CharField(max_length=64, unique=True)
    amount_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=30)
    reason = models.CharField(max_length=60, blank=True, default="")
    withdrawn_cents = models.BigIntegerField(default=0)
    due_by = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="dispute_amounts_are_not_negative", condition=Q(amount_cents__gt=0, withdrawn_cents__gte=0)
            ),
        ]

    @property
    def is_open(self) -> bool:
        """Whether the bank has not decided yet."""
        return self.status not in self.CLOSED

    @property
    def blocks_refund(self) -> bool:
        """Whether Stripe refuses refunds of the payment: disputed for good, or already taken back."""
        return self.status == "lost" or (self.is_open and self.status not in self.INQUIRIES)


class Journal(TenantModel):
    """One leg of a money effect: append-only, double entry, exactly once (Decided 17).

    The legs of one source sum to zero. The uniqueness of (kind, source, account, invoice) is what makes an effect
    happen once, however often the event that tells of it arrives (F9, PAY-09).
    """

    class Account(models.TextChoices):
        RECEIVABLE = "receivable"
        STRIPE_CLEARING = "stripe_clearing"
        PENDING_ACH = "pending_ach"
        CREDIT = "credit"
        REFUND = "refund"
        FEE = "fee"
        DISPUTE = "dispute"
        LOSS = "loss"
        CASH = "cash"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=24)
    source_type = models.CharField(max_length=24)
    source_id = models.CharField(max_length=80)
    account = models.CharField(max_length=16, choices=Account)
    delta_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    invoice = models.ForeignKey("invoices.Invoice", on_delete=models.PROTECT, null=True, related_name="journal")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="journal")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="money_effect_happens_once",
                fields=["kind", "source_type", "source_id", "account", "invoice"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="journal_leg_moves_money", condition=~Q(delta_cents=0)),
        ]
