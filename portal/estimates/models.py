"""Estimates: what is offered, in which versions, what was decided and what was signed (datamodel.md 2.7, 4.9)."""

from django.db import models
from django.db.models import F, Q

from infra.ids import uuid7
from tenants.rows import TenantModel


class Estimate(TenantModel):
    """One estimate; amounts are minor units of `currency`.

    `current` is the version that customers see, 0 before any was sent; it is what an approval is compared with.
    Option, lines, total and deposit are what was approved. The three counters of the deposit are caches of the
    journal and of open attempts, as an invoice's are. That it expired, and that it was viewed, is derived.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        SENT = "sent"
        CHANGES_REQUESTED = "changes_requested"
        APPROVED = "approved"
        DECLINED = "declined"
        CANCELED = "canceled"
        CONVERTED = "converted"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.CharField(max_length=40, unique=True)
    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="estimates")
    location = models.ForeignKey(
        "customers.Location", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    business_unit = models.ForeignKey(
        "company.BusinessUnit", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    job_id = models.UUIDField(null=True)
    title = models.CharField(max_length=120)
    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    current = models.PositiveSmallIntegerField(default=0)
    expires_on = models.DateField(null=True)
    currency = models.CharField(max_length=3)
    option_key = models.CharField(max_length=8, blank=True, default="")
    line_keys = models.JSONField(default=list)
    total_cents = models.BigIntegerField(default=0)
    deposit_cents = models.BigIntegerField(default=0)
    deposit_paid_cents = models.BigIntegerField(default=0)
    deposit_pending_cents = models.BigIntegerField(default=0)
    deposit_reserved_cents = models.BigIntegerField(default=0)
    invoice = models.OneToOneField("invoices.Invoice", on_delete=models.PROTECT, null=True, related_name="estimate")
    created_by_name = models.CharField(max_length=120, blank=True, default="")
    sent_at = models.DateTimeField(null=True)
    first_viewed_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    canceled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="deposit_is_never_claimed_beyond_what_was_agreed",
                condition=Q(
                    deposit_paid_cents__gte=0,
                    deposit_pending_cents__gte=0,
                    deposit_reserved_cents__gte=0,
                    deposit_cents__gte=F("deposit_paid_cents")
                    + F("deposit_pending_cents")
                    + F("deposit_reserved_cents"),
                ),
            ),
            models.CheckConstraint(
                name="deposit_fits_the_total", condition=Q(deposit_cents__gte=0, deposit_cents__lte=F("total_cents"))
            ),
            models.CheckConstraint(
                name="approved_estimate_has_an_option",
                condition=~Q(status__in=["approved", "converted"]) | Q(decided_at__isnull=False) & ~Q(option_key=""),
            ),
            models.CheckConstraint(
                name="estimate_in_customers_hands_has_a_version",
                condition=Q(status__in=["draft", "canceled"]) | Q(current__gte=1, sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="converted_estimate_has_its_invoice",
                condition=Q(status="converted", invoice__isnull=False) | ~Q(status="converted") & Q(invoice=None),
            ),
            models.CheckConstraint(
                name="canceled_estimate_has_date", condition=~Q(status="canceled") | Q(canceled_at__isnull=False)
            ),
            models.CheckConstraint(
                name="estimate_currency_is_three_capitals", condition=Q(currency__regex=r"^[A-Z]{3}$")
            ),
        ]


class EstimateVersion(TenantModel):
    """What was offered at one time: options and lines in `body`; once sent it is never changed (EST-02).

    `content_hash` is written when it is sent, over estimate, number, currency and body; an approval proves it anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    estimate = models.ForeignKey(Estimate, on_delete=models.CASCADE, related_name="versions", db_index=False)
    n = models.PositiveSmallIntegerField()
    body = models.JSONField()
    content_hash = models.CharField(max_length=64, blank=True, default="")
    change_summary = models.CharField(max_length=300, blank=True, default="")
    created_by = models.UUIDField(null=True)
    created_by_name = models.CharField(max_length=120, blank=True, default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_version_of_each_number", fields=["estimate", "n"]),
            models.CheckConstraint(
                name="sent_version_has_its_hash", condition=Q(sent_at=None, content_hash="") | ~Q(content_hash="")
            ),
        ]


class SignatureRecord(TenantModel):
    """A typed signature and what it stands under: the digest covers the version, the choice and the consent."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_kind = models.CharField(max_length=24)
    subject_id = models.UUIDField()
    document_sha256 = models.CharField(max_length=64)
    signer_name = models.CharField(max_length=120)
    signer_email = models.CharField(max_length=254, blank=True, default="")
    method = models.CharField(max_length=8, default="typed")
    consent_version = models.CharField(max_length=20)
    consent_text = models.CharField(max_length=500)
    first_viewed_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_signature_under_a_document", fields=["subject_kind", "subject_id"]),
            models.CheckConstraint(name="signature_has_a_name", condition=~Q(signer_name="")),
        ]


class EstimateDecision(TenantModel):
    """What a customer said to one version; an approval is one for ever."""

    class Kind(models.TextChoices):
        APPROVE = "approve"
        DECLINE = "decline"
        REQUEST_CHANGES = "request_changes"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    estimate = models.ForeignKey(Estimate, on_delete=models.CASCADE, related_name="decisions")
    version = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=Kind)
    option_key = models.CharField(max_length=8, blank=True, default="")
    line_keys = models.JSONField(default=list)
    total_cents = models.BigIntegerField(default=0)
    deposit_cents = models.BigIntegerField(default=0)
    reason = models.TextField(blank=True, default="")
    signature = models.ForeignKey(
        SignatureRecord, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    portal_user_id = models.UUIDField(null=True)
    share_link_id = models.UUIDField(null=True)
    by_name = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="an_estimate_is_approved_once", fields=["estimate"], condition=Q(kind="approve")
            ),
            models.CheckConstraint(
                name="approval_is_signed", condition=~Q(kind="approve") | Q(signature__isnull=False)
            ),
        ]
