"""Our own people and their signed-in browsers."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from infra.ids import uuid7


class Operator(models.Model):
    """Somebody of ours who runs the fleet; never a user of a tenant (Decided 3)."""

    class Role(models.TextChoices):
        VIEWER = "viewer"
        SUPPORT = "support"
        BILLING = "billing"
        ENGINEER = "engineer"
        ADMIN = "admin"
        AUDITOR = "auditor"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=10, choices=Role)
    password_hash = models.CharField(max_length=200, blank=True, default="")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_sign_in_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="operator_email_is_normalised", condition=Q(email=Lower("email")))]


class OperatorSession(models.Model):
    """One signed-in browser of an operator: 15 minutes idle, 4 hours at most (Decided 24)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="sessions")
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True, default="")
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=40, blank=True, default="")


class SignInFailure(models.Model):
    """A wrong password on the console; counted to slow down guessing (AUN-19)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField()
    ip = models.GenericIPAddressField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["email", "at"], name="console_failures_by_email")]
