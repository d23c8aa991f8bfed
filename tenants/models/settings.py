"""Values of settings and flags by layer (platform.md 3.9); resolved at read time, never copied."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7


class SettingValue(models.Model):
    """One value of one key in one layer."""

    class Scope(models.TextChoices):
        PLATFORM = "platform"
        PLAN = "plan"
        OPERATOR = "operator"
        OWNER = "owner"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    scope = models.CharField(max_length=10, choices=Scope)
    scope_id = models.CharField(max_length=40, blank=True, default="")
    key = models.CharField(max_length=80)
    value = models.JSONField()
    locked = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True)
    set_by = models.CharField(max_length=200)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True, default="")
    version = models.BigIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="setting_has_one_value_per_layer", fields=["scope", "scope_id", "key"]),
            models.CheckConstraint(name="platform_value_has_no_owner", condition=~Q(scope="platform") | Q(scope_id="")),
        ]


class Flag(models.Model):
    """An entitlement or switch of the platform; `portal` is the first (C-20)."""

    class Kind(models.TextChoices):
        RELEASE = "release"
        OPS = "ops"
        PERMISSION = "permission"
        KILL = "kill"

    key = models.CharField(primary_key=True, max_length=60)
    kind = models.CharField(max_length=12, choices=Kind)
    default = models.BooleanField(default=False)
    killed = models.BooleanField(default=False)
    owner = models.CharField(max_length=80)
    description = models.CharField(max_length=300)


class FlagOverride(models.Model):
    """What one tenant gets, whatever the default says."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flag = models.ForeignKey(Flag, on_delete=models.PROTECT)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="flag_overrides")
    value = models.BooleanField()
    set_by = models.CharField(max_length=200)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True, default="")
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="flag_has_one_override_per_tenant", fields=["flag", "tenant"])]
