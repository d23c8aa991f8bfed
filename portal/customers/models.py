"""Customers, the people to reach for them, and the addresses where work is done."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from infra.ids import uuid7
from tenants.rows import TenantModel


class Customer(TenantModel):
    """The contractor's client, a person or a company (datamodel.md 2.3)."""

    class Kind(models.TextChoices):
        PERSON = "person"
        COMPANY = "company"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.CharField(max_length=20, unique=True)
    external_id = models.CharField(max_length=80, unique=True, null=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PERSON)
    name = models.CharField(max_length=200)
    business_unit = models.ForeignKey(
        "company.BusinessUnit", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    bill_to = models.JSONField(default=dict)
    terms = models.CharField(max_length=40, blank=True, default="")
    tax_exempt = models.BooleanField(default=False)
    tags = models.JSONField(default=list)
    do_not_service = models.BooleanField(default=False)
    portal_locked = models.BooleanField(default=False)
    language = models.CharField(max_length=12, blank=True, default="")
    internal_notes = models.TextField(blank=True, default="")
    source = models.CharField(max_length=40, blank=True, default="")
    stripe_customer_id = models.CharField(max_length=64, unique=True, null=True)
    number_aliases = models.JSONField(default=list)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(Lower("name"), name="customer_by_name")]
        constraints = [models.CheckConstraint(name="customer_has_name", condition=~Q(name=""))]


class Contact(TenantModel):
    """A person (or mailbox) of a customer."""

    class Role(models.TextChoices):
        OWNER = "owner"
        SPOUSE = "spouse"
        TENANT = "tenant"
        PROPERTY_MANAGER = "property_manager"
        ACCOUNTS_PAYABLE = "accounts_payable"
        SITE = "site"
        OTHER = "other"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts")
    external_id = models.CharField(max_length=80, blank=True, default="")
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, choices=Role, default=Role.OWNER)
    is_primary = models.BooleanField(default=False)
    language = models.CharField(max_length=12, blank=True, default="")
    receives = models.JSONField(default=list)
    preferences = models.JSONField(default=dict)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="customer_has_one_primary_contact", fields=["customer"], condition=Q(is_primary=True)
            )
        ]


class ContactPoint(TenantModel):
    """One e-mail address or phone number of a contact; the same address may serve several customers (AUN-22)."""

    class Kind(models.TextChoices):
        EMAIL = "email"
        PHONE = "phone"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="points")
    kind = models.CharField(max_length=5, choices=Kind)
    value = models.CharField(max_length=254)
    label = models.CharField(max_length=20, blank=True, default="")
    is_primary = models.BooleanField(default=False)
    sms_capable = models.BooleanField(default=False)
    verified_at = models.DateTimeField(null=True)
    last_delivery_state = models.CharField(max_length=12, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="contact_has_point_once", fields=["contact", "kind", "value"]),
            models.CheckConstraint(
                name="email_point_is_normalised", condition=~Q(kind="email") | Q(value=Lower("value"))
            ),
        ]
        indexes = [models.Index(name="point_by_value", fields=["kind", "value"])]


class Location(TenantModel):
    """A service address of a customer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="locations")
    external_id = models.CharField(max_length=80, blank=True, default="")
    name = models.CharField(max_length=120, blank=True, default="")
    street = models.CharField(max_length=200)
    street2 = models.CharField(max_length=120, blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    region = models.CharField(max_length=60, blank=True, default="")
    postal_code = models.CharField(max_length=16, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    time_zone = models.CharField(max_length=64, blank=True, default="")
    access_notes = models.TextField(blank=True, default="")
    customer_notes = models.TextField(blank=True, default="")
    contacts = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="customer_has_address_once", fields=["customer", "street", "street2", "postal_code"]
            )
        ]
