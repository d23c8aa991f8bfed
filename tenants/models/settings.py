"""Values of settings and flags by layer, and the cohorts that a layer may speak to (platform.md 3.9)."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7


class SettingValue(models.Model):
    """One value of one key in one layer; resolved at read time, never copied. Keys are declared in code.

    `version` is the counter that the write moved (the company's config_version, or the epoch), so it never comes back.
    """

    class Scope(models.TextChoices):
        PLATFORM = "platform"
        GRANT = "grant"
        PLAN = "plan"
        COHORT = "cohort"
        OPERATOR = "operator"
        OWNER = "owner"
        KILL = "kill"

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
            models.CheckConstraint(
                name="setting_names_whom_it_is_for",
                condition=Q(scope__in=["platform", "kill"], scope_id="")
                | (~Q(scope__in=["platform", "kill"]) & ~Q(scope_id="")),
            ),
        ]
        indexes = [models.Index(name="setting_by_key", fields=["key"])]


class Cohort(models.Model):
    """A named set of companies; where a company is in several, the one of the highest rank wins."""

    name = models.SlugField(primary_key=True, max_length=40)
    rank = models.PositiveSmallIntegerField(unique=True)
    description = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()


class CohortMember(models.Model):
    """One company in one cohort."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="members")
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="cohort_memberships")
    added_by = models.CharField(max_length=200)
    added_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="company_is_in_a_cohort_once", fields=["cohort", "tenant"])]
