"""People who sign in on a tenant's host: staff in the office, customers in the portal. Two identities, never mixed."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from infra.ids import uuid7
from tenants.rows import TenantModel


class StaffUser(TenantModel):
    """Somebody who works for the company; a technician without log-in has status no_login."""

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        MANAGER = "manager"
        CSR = "csr"
        DISPATCHER = "dispatcher"
        TECHNICIAN = "technician"
        ACCOUNTANT = "accountant"
        READ_ONLY = "read_only"

    class Status(models.TextChoices):
        INVITED = "invited"
        ACTIVE = "active"
        DISABLED = "disabled"
        NO_LOGIN = "no_login"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True, null=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=12, choices=Role)
    extra_permissions = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=Status, default=Status.INVITED)
    password_hash = models.CharField(max_length=200, blank=True, default="")
    password_set_at = models.DateTimeField(null=True)
    second_factors = models.JSONField(default=list)
    language = models.CharField(max_length=12, blank=True, default="")
    notification_prefs = models.JSONField(default=dict)
    technician = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    last_sign_in_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="staff_email_is_normalised", condition=Q(email=Lower("email"))),
            models.CheckConstraint(
                name="active_staff_can_sign_in", condition=~Q(status="active") | Q(email__isnull=False)
            ),
        ]


class StaffSession(TenantModel):
    """One signed-in browser of a staff member: 12 hours idle, 7 days at most (Decided 24)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    staff_user = models.ForeignKey(StaffUser, on_delete=models.CASCADE, related_name="sessions")
    token_hash = models.BinaryField(max_length=32, unique=True)
    tenant_id = models.UUIDField()
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True, default="")
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=40, blank=True, default="")


class PortalUser(TenantModel):
    """A customer's person: one identity per e-mail per tenant (AUN-23)."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        LOCKED = "locked"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)
    display_name = models.CharField(max_length=120, blank=True, default="")
    password_hash = models.CharField(max_length=200, blank=True, default="")
    must_change_password = models.BooleanField(default=False)
    language = models.CharField(max_length=12, blank=True, default="")
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    notification_prefs = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    last_sign_in_at = models.DateTimeField(null=True)
    sign_in_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="portal_email_is_normalised", condition=Q(email=Lower("email")))]


class PortalSession(TenantModel):
    """One signed-in browser of a customer: 30 days idle, 90 days at most (Decided 24)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portal_user = models.ForeignKey(PortalUser, on_delete=models.CASCADE, related_name="sessions")
    token_hash = models.BinaryField(max_length=32, unique=True)
    tenant_id = models.UUIDField()
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    proved_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=300, blank=True, default="")
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=40, blank=True, default="")


class LoginToken(TenantModel):
    """A mailed link with its code: stored hashed, bound to purpose and person, mints one session (S9, Decided 11).

    Exactly one of portal_user and staff_user is set. The invitation of the data model is a token of purpose invite.
    """

    class Purpose(models.TextChoices):
        INVITE = "invite"
        EMAIL_LINK = "email_link"
        PASSWORD_RESET = "password_reset"  # noqa: S105 - a purpose, not a secret
        EMAIL_CHANGE = "email_change"
        STAFF_FIRST_SIGN_IN = "staff_first_sign_in"
        HANDOFF = "handoff"
        PROOF = "proof"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portal_user = models.ForeignKey(PortalUser, on_delete=models.CASCADE, null=True, related_name="tokens")
    staff_user = models.ForeignKey(StaffUser, on_delete=models.CASCADE, null=True, related_name="tokens")
    purpose = models.CharField(max_length=20, choices=Purpose)
    email = models.EmailField()
    token_hash = models.BinaryField(max_length=32, unique=True)
    code_hash = models.BinaryField(max_length=32, null=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    browser_hash = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)
    session_id = models.UUIDField(null=True)
    first_seen_at = models.DateTimeField(null=True)
    first_seen_ua = models.CharField(max_length=300, blank=True, default="")
    revoked_at = models.DateTimeField(null=True)
    deep_link = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="token_belongs_to_one_person",
                condition=Q(portal_user__isnull=False, staff_user__isnull=True)
                | Q(portal_user__isnull=True, staff_user__isnull=False),
            ),
            models.CheckConstraint(
                name="session_of_token_needs_its_use",
                condition=Q(session_id__isnull=True) | Q(consumed_at__isnull=False),
            ),
            models.CheckConstraint(name="code_dies_after_five_tries", condition=Q(code_tries__lte=5)),
        ]
