"""Autopay: what a customer has allowed, and what became of each invoice under it (datamodel.md 4.15)."""

from django.db import models
from django.db.models import F, Q, Value

from infra.ids import uuid7
from tenants.rows import TenantModel


class AutopayMandate(TenantModel):
    """A customer's permission to charge invoices when they are due, with its limits (PAY-20).

    It covers one service address, or with no location all of the account; each has one that lives. `agreed` holds the
    words that were agreed to, as they were shown: what proves the permission must not change with our texts.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        REVOKED = "revoked"

    class Pause(models.TextChoices):
        CUSTOMER = "customer"
        FAILED = "failed"
        METHOD = "method"
        OFFICE = "office"

    LIVE = (State.ACTIVE, State.PAUSED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bill_to = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="autopay_mandates")
    location = models.ForeignKey(
        "customers.Location", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    method = models.ForeignKey("payments.PaymentMethod", on_delete=models.PROTECT, related_name="+")
    fallback = models.ForeignKey(
        "payments.PaymentMethod", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    cap_cents = models.BigIntegerField()
    month_cap_cents = models.BigIntegerField(null=True)
    notice_days = models.SmallIntegerField()
    text_version = models.CharField(max_length=20)
    agreed = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    authorised_by = models.ForeignKey("accounts.PortalUser", on_delete=models.PROTECT, related_name="+", db_index=False)
    authorised_at = models.DateTimeField()
    authorised_ip = models.GenericIPAddressField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    paused_because = models.CharField(max_length=8, choices=Pause, blank=True, default="")
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="place_has_one_mandate",
                fields=["bill_to", "location"],
                condition=~Q(state="revoked"),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="mandate_has_limits", condition=Q(cap_cents__gt=0, notice_days__gte=1, notice_days__lte=30)
            ),
            models.CheckConstraint(
                name="mandate_month_holds_one_charge",
                condition=Q(month_cap_cents__isnull=True) | Q(month_cap_cents__gte=F("cap_cents")),
            ),
            models.CheckConstraint(
                name="revoked_mandate_has_date", condition=~Q(state="revoked") | Q(revoked_at__isnull=False)
            ),
        ]


class AutopayCharge(TenantModel):
    """What autopay does about one invoice: announced first, charged on its day, tried twice at most."""

    class State(models.TextChoices):
        ANNOUNCED = "announced"
        CHARGING = "charging"
        CHARGED = "charged"
        SKIPPED = "skipped"
        OVER_CAP = "over_cap"
        PAID_OTHERWISE = "paid_otherwise"
        NEEDS_CUSTOMER = "needs_customer"
        HANDED_OVER = "handed_over"

    OPEN = (State.ANNOUNCED, State.CHARGING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    mandate = models.ForeignKey(AutopayMandate, on_delete=models.PROTECT, related_name="charges")
    invoice = models.ForeignKey("invoices.Invoice", on_delete=models.PROTECT, related_name="+")
    amount_cents = models.BigIntegerField()
    planned_on = models.DateField()
    taken_on = models.DateField(null=True)
    announced_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State, default=State.ANNOUNCED)
    tries = models.SmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    attempt_id = models.UUIDField(null=True)
    failure_code = models.CharField(max_length=60, blank=True, default="")
    decline_code = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["planned_on"], name="autopay_open", condition=Q(state__in=["announced", "charging"]))
        ]
        constraints = [
            models.UniqueConstraint(name="mandate_charges_an_invoice_once", fields=["mandate", "invoice"]),
            models.CheckConstraint(name="autopay_charge_is_positive", condition=Q(amount_cents__gt=0)),
        ]
