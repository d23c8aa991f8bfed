"""A company as our account: its identity, its names, its place and the reasons why it may be closed."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7

SLUG_REGEX = r"^(?=[0-9-]*[a-z])[a-z0-9]([a-z0-9]|-(?=[a-z0-9])){2,39}$"


class Cell(models.Model):
    """An independent database cluster that holds a set of tenants (Decided 15)."""

    name = models.SlugField(primary_key=True, max_length=40)
    open_for_signups = models.BooleanField(default=True)


class Tenant(models.Model):
    """A contractor company. id, slug and schema name are never derived from one another (Decided 5, 8)."""

    class Lifecycle(models.TextChoices):
        PROVISIONING = "provisioning"
        ACTIVE = "active"
        CLOSING = "closing"
        ARCHIVED = "archived"
        PURGING = "purging"
        DELETED = "deleted"
        FAILED = "failed"

    class ServiceMode(models.TextChoices):
        NORMAL = "normal"
        READ_ONLY = "read_only"
        MAINTENANCE = "maintenance"

    class Review(models.TextChoices):
        CLEAR = "clear"
        UNDER_REVIEW = "under_review"
        BLOCKED = "blocked"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(max_length=40, unique=True)
    display_name = models.CharField(max_length=120)
    schema_name = models.CharField(max_length=34, unique=True, null=True)
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, default="one")
    lifecycle = models.CharField(max_length=16, choices=Lifecycle, default=Lifecycle.PROVISIONING)
    service_mode = models.CharField(max_length=16, choices=ServiceMode, default=ServiceMode.NORMAL)
    review = models.CharField(max_length=16, choices=Review, default=Review.CLEAR)
    plan = models.ForeignKey("tenants.Plan", on_delete=models.PROTECT)
    trade = models.CharField(max_length=40, blank=True, default="")
    time_zone = models.CharField(max_length=64, default="America/New_York")
    locale = models.CharField(max_length=12, default="en")
    country = models.CharField(max_length=2, default="US")
    currency = models.CharField(max_length=3, default="USD")
    owner_email = models.EmailField()
    owner_name = models.CharField(max_length=120, blank=True, default="")
    config_version = models.BigIntegerField(default=1)
    schema_fingerprint = models.CharField(max_length=64, blank=True, default="")
    schema_release = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField()
    first_activated_at = models.DateTimeField(null=True)
    last_active_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="tenant_slug_is_well_formed", condition=Q(slug__regex=SLUG_REGEX)),
            models.CheckConstraint(
                name="tenant_schema_name_is_ours", condition=Q(schema_name__regex=r"^t_[0-9a-f]{12,32}$")
            ),
            models.CheckConstraint(
                name="active_tenant_has_schema_and_date",
                condition=~Q(lifecycle="active")
                | Q(schema_name__isnull=False, first_activated_at__isnull=False) & ~Q(schema_fingerprint=""),
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class Hold(models.Model):
    """One reason why a tenant is closed; the portal opens when none is left (platform.md 3.3)."""

    class Kind(models.TextChoices):
        BILLING = "billing"
        ABUSE = "abuse"
        SECURITY = "security"
        OWNER = "owner"
        OPERATOR = "operator"
        # The office alone is closed, customers go on: an unpaid bill is not their affair.
        OFFICE = "office"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="holds")
    kind = models.CharField(max_length=12, choices=Kind)
    reason = models.CharField(max_length=500)
    opened_by = models.CharField(max_length=200)
    opened_at = models.DateTimeField()
    released_by = models.CharField(max_length=200, blank=True, default="")
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="released_hold_names_who",
                condition=Q(released_at__isnull=True, released_by="")
                | (Q(released_at__isnull=False) & ~Q(released_by="")),
            ),
        ]


class Hostname(models.Model):
    """A name below the base domain, held, live or gone for ever; rows of kind slug are never deleted (HOST-06)."""

    class Kind(models.TextChoices):
        SLUG = "slug"
        CUSTOM = "custom"

    class State(models.TextChoices):
        HELD = "held"
        LIVE = "live"
        TOMBSTONE = "tombstone"

    name = models.CharField(primary_key=True, max_length=253)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, related_name="hostnames")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.SLUG)
    state = models.CharField(max_length=10, choices=State, default=State.HELD)
    is_primary = models.BooleanField(default=False)
    held_for = models.UUIDField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="tenant_has_one_live_primary_host",
                fields=["tenant"],
                condition=Q(is_primary=True, state="live"),
            ),
            models.CheckConstraint(
                name="held_host_names_holder_and_end",
                condition=~Q(state="held") | Q(held_for__isnull=False, expires_at__isnull=False),
            ),
            models.CheckConstraint(name="live_host_has_tenant", condition=~Q(state="live") | Q(tenant__isnull=False)),
        ]


class Epoch(models.Model):
    """One row of counters that tell every process, on every request, whether what it remembers is still true."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    hostname_epoch = models.BigIntegerField(default=1)
    flag_epoch = models.BigIntegerField(default=1)
    plan_epoch = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(name="there_is_one_epoch_row", condition=Q(id=1))]
