"""The company's own record and its business units."""

from django.db import models

from infra.ids import uuid7
from tenants.rows import TenantModel


class CompanyProfile(TenantModel):
    """One row: how the company presents itself to its customers (BRAND-01…03)."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=120)
    legal_name = models.CharField(max_length=160, blank=True, default="")
    trade = models.CharField(max_length=40, blank=True, default="")
    logo = models.ForeignKey(
        "documents.MediaItem", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    brand_color = models.CharField(max_length=7, default="#12484b")
    palette = models.JSONField(default=dict)
    phone = models.CharField(max_length=32, blank=True, default="")
    sms_phone = models.CharField(max_length=32, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    address = models.JSONField(default=dict)
    licence_no = models.CharField(max_length=80, blank=True, default="")
    website = models.URLField(blank=True, default="")
    how_to_pay = models.TextField(blank=True, default="")
    emergency_text = models.TextField(blank=True, default="")
    review_urls = models.JSONField(default=list)
    terms = models.TextField(blank=True, default="")
    privacy = models.TextField(blank=True, default="")
    business_hours = models.JSONField(default=dict)
    holidays = models.JSONField(default=list)
    arrival_windows = models.JSONField(default=list)
    tax_rates = models.JSONField(default=list)
    payment_terms = models.JSONField(default=list)
    reminder_policy = models.JSONField(default=dict)
    announcement = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="there_is_one_company_profile", condition=models.Q(id=1)),
            models.CheckConstraint(
                name="brand_colour_is_hex", condition=models.Q(brand_color__regex=r"^#[0-9a-f]{6}$")
            ),
        ]


class BusinessUnit(TenantModel):
    """Part of a company with its own brand, phone and rules (BRAND-02, VIS-09)."""

    class Exclusion(models.TextChoices):
        NO = "no"
        INVOICES = "invoices"
        EVERYTHING = "everything"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    trade = models.CharField(max_length=40, blank=True, default="")
    is_active = models.BooleanField(default=True)
    brand = models.JSONField(default=dict)
    overrides = models.JSONField(default=dict)
    zones = models.JSONField(default=list)
    portal_excluded = models.CharField(max_length=10, choices=Exclusion, default=Exclusion.NO)
