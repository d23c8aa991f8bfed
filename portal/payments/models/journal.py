"""The journal: every money effect as balanced legs (Decided 17)."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7
from portal.payments.models.payments import Payment
from tenants.rows import TenantModel


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
        DEPOSIT = "deposit"
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
