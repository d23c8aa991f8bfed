"""Invoices: what a customer owes, line by line, with counters that the journal backs."""

from django.db import models
from django.db.models import F, Q

from infra.ids import uuid7
from portal.invoices.codes import new_short_code
from tenants.rows import TenantModel


class Invoice(TenantModel):
    """One invoice; amounts are minor units of `currency`, lines are frozen at issue (datamodel.md 2.8, 4.10).

    `paid_elsewhere_cents` is what the company had received before the invoice came to us; `paid_cents`,
    `pending_cents`, `reserved_cents` and `credited_cents` are caches of journal sums and open attempts.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        PARTIALLY_PAID = "partially_paid"
        PAID = "paid"
        VOID = "void"
        WRITTEN_OFF = "written_off"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.CharField(max_length=40, unique=True)
    external_id = models.CharField(max_length=80, unique=True, null=True)
    bill_to = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="invoices", db_index=False)
    location = models.ForeignKey(
        "customers.Location", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    job_id = models.UUIDField(null=True)
    job_type_name = models.CharField(max_length=120, blank=True, default="")
    business_unit = models.ForeignKey(
        "company.BusinessUnit", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.DRAFT)
    issued_on = models.DateField()
    due_on = models.DateField()
    terms = models.CharField(max_length=40, blank=True, default="")
    po_number = models.CharField(max_length=60, blank=True, default="")
    currency = models.CharField(max_length=3)
    lines = models.JSONField(default=list)
    subtotal_cents = models.BigIntegerField()
    discount_cents = models.BigIntegerField(default=0)
    tax_cents = models.BigIntegerField(default=0)
    total_cents = models.BigIntegerField()
    paid_elsewhere_cents = models.BigIntegerField(default=0)
    paid_cents = models.BigIntegerField(default=0)
    pending_cents = models.BigIntegerField(default=0)
    reserved_cents = models.BigIntegerField(default=0)
    credited_cents = models.BigIntegerField(default=0)
    balance_cents = models.GeneratedField(
        expression=F("total_cents") - F("paid_elsewhere_cents") - F("paid_cents") - F("credited_cents"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    public_note = models.TextField(blank=True, default="")
    internal_note = models.TextField(blank=True, default="")
    short_code = models.CharField(max_length=12, unique=True, null=True, default=new_short_code)
    reviewed_at = models.DateTimeField(null=True)
    exported_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    first_viewed_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["bill_to", "status", "-issued_on"], name="invoice_by_customer")]
        constraints = [
            models.CheckConstraint(name="invoice_total_is_not_negative", condition=Q(total_cents__gte=0)),
            models.CheckConstraint(
                name="invoice_counters_are_not_negative",
                condition=Q(
                    paid_elsewhere_cents__gte=0,
                    paid_cents__gte=0,
                    pending_cents__gte=0,
                    reserved_cents__gte=0,
                    credited_cents__gte=0,
                ),
            ),
            models.CheckConstraint(
                name="invoice_is_never_claimed_beyond_its_total",
                condition=Q(
                    total_cents__gte=F("paid_elsewhere_cents")
                    + F("paid_cents")
                    + F("credited_cents")
                    + F("pending_cents")
                    + F("reserved_cents")
                ),
            ),
            models.CheckConstraint(name="invoice_is_due_after_issue", condition=Q(due_on__gte=F("issued_on"))),
            models.CheckConstraint(
                name="paid_invoice_has_no_balance",
                condition=~Q(status="paid")
                | Q(total_cents=F("paid_elsewhere_cents") + F("paid_cents") + F("credited_cents")),
            ),
            models.CheckConstraint(
                name="open_invoice_has_balance",
                condition=~Q(status__in=["open", "partially_paid"])
                | Q(total_cents__gt=F("paid_elsewhere_cents") + F("paid_cents") + F("credited_cents")),
            ),
            models.CheckConstraint(
                name="voided_invoice_has_date", condition=~Q(status="void") | Q(voided_at__isnull=False)
            ),
            models.CheckConstraint(name="currency_is_three_capitals", condition=Q(currency__regex=r"^[A-Z]{3}$")),
        ]
