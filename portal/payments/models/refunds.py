"""Money that went back: refunds, and what banks take back (payments.md 3b)."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7
from portal.payments.models.payments import Payment
from tenants.rows import TenantModel


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


class RefundProposal(TenantModel):
    """A refund above the company's limit: asked for by one person of the office, decided by another (PAY-16).

    No money is set aside before the decision; an approval is checked anew against what can be refunded then.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        APPROVED = "approved"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refund_proposals")
    refund = models.OneToOneField(Refund, on_delete=models.PROTECT, null=True, related_name="proposal")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    amount_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    lines = models.JSONField()
    reason = models.CharField(max_length=24, choices=Refund.Reason)
    note = models.CharField(max_length=300, blank=True, default="")
    form_key = models.UUIDField(unique=True)
    proposed_by = models.UUIDField()
    proposed_by_name = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="payment_has_one_waiting_proposal", fields=["payment"], condition=Q(state="waiting")
            ),
            models.CheckConstraint(name="proposal_amount_is_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="decision_is_by_another_person",
                condition=Q(state="waiting", decided_by__isnull=True, decided_at__isnull=True)
                | Q(state="withdrawn", decided_by=models.F("proposed_by"), decided_at__isnull=False)
                | Q(state__in=["approved", "declined"], decided_by__isnull=False, decided_at__isnull=False)
                & ~Q(decided_by=models.F("proposed_by")),
            ),
            models.CheckConstraint(
                name="approved_proposal_has_its_refund",
                condition=Q(state="approved", refund__isnull=False) | ~Q(state="approved") & Q(refund__isnull=True),
            ),
        ]
