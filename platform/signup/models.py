"""One person's wish to become a customer of ours."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from infra.ids import uuid7


class SignUp(models.Model):
    """A sign-up from the form to the tenant (platform.md 3.4)."""

    class State(models.TextChoices):
        STARTED = "started"
        EMAIL_SENT = "email_sent"
        VERIFIED = "verified"
        PROVISIONED = "provisioned"
        REJECTED = "rejected"
        EXPIRED = "expired"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    form_key = models.UUIDField(unique=True)
    browser_hash = models.BinaryField(max_length=32)
    state = models.CharField(max_length=12, choices=State, default=State.STARTED)
    email = models.EmailField()
    owner_name = models.CharField(max_length=120, blank=True, default="")
    company = models.CharField(max_length=120)
    trade = models.CharField(max_length=40, blank=True, default="")
    country = models.CharField(max_length=2, default="US")
    time_zone = models.CharField(max_length=64, default="America/New_York")
    locale = models.CharField(max_length=12, default="en")
    slug = models.CharField(max_length=40, blank=True, default="")
    plan = models.ForeignKey("tenants.Plan", on_delete=models.PROTECT)
    token_hash = models.BinaryField(max_length=32, unique=True, null=True)
    code_hash = models.BinaryField(max_length=32, null=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    mails_sent = models.PositiveSmallIntegerField(default=0)
    ip = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    tenant = models.OneToOneField("tenants.Tenant", on_delete=models.PROTECT, null=True, related_name="signup")

    class Meta:
        indexes = [models.Index(fields=["email", "-created_at"], name="signup_by_email")]
        constraints = [
            models.CheckConstraint(name="signup_email_is_normalised", condition=Q(email=Lower("email"))),
            models.CheckConstraint(
                name="tenant_needs_verified_signup",
                condition=Q(tenant__isnull=True) | Q(verified_at__isnull=False),
            ),
            models.CheckConstraint(name="signup_code_dies_after_five_tries", condition=Q(code_tries__lte=5)),
        ]
