"""The ledger of everything that runs in steps, and the schemas that wait for a tenant (platform.md 3.2, 3.5)."""

from django.db import models
from django.db.models import Q

from infra.ids import uuid7


class SchemaSlot(models.Model):
    """One schema that we made, and what became of it; a schema without a row here is never touched (ISO-31)."""

    class State(models.TextChoices):
        BUILDING = "building"
        READY = "ready"
        CLAIMED = "claimed"
        DIRTY = "dirty"
        DROPPING = "dropping"
        DROPPED = "dropped"

    schema_name = models.CharField(primary_key=True, max_length=34)
    state = models.CharField(max_length=10, choices=State, default=State.BUILDING)
    release = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()
    built_at = models.DateTimeField(null=True)
    claimed_by_run = models.UUIDField(null=True, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="slot_name_is_ours", condition=Q(schema_name__regex=r"^t_[0-9a-f]{12,32}$")),
            models.CheckConstraint(
                name="ready_slot_has_fingerprint",
                condition=~Q(state__in=["ready", "claimed"]) | (Q(built_at__isnull=False) & ~Q(fingerprint="")),
            ),
            models.CheckConstraint(
                name="claimed_slot_has_run", condition=~Q(state="claimed") | Q(claimed_by_run__isnull=False)
            ),
        ]


class SchemaTemplate(models.Model):
    """What a schema of one release is: made once by real migrations, replayed ever after (platform.md 0.3)."""

    release = models.CharField(primary_key=True, max_length=40)
    schema_name = models.CharField(max_length=34, unique=True)
    ddl = models.TextField(blank=True, default="")
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    relations = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    built_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="template_name_is_ours", condition=Q(schema_name__regex=r"^t_[0-9a-f]{12,32}$")
            ),
            models.CheckConstraint(
                name="built_template_is_whole",
                condition=Q(built_at__isnull=True) | (~Q(ddl="") & ~Q(fingerprint="")),
            ),
        ]


class Run(models.Model):
    """One saga: ordered, resumable, driven by this row and not by the broker (platform.md 0.4)."""

    class Kind(models.TextChoices):
        PROVISION = "provision"

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        WAITING = "waiting"
        PARKED = "parked"
        DONE = "done"
        CANCELED = "canceled"
        COMPENSATING = "compensating"
        COMPENSATED = "compensated"

    OPEN = (State.QUEUED, State.RUNNING, State.WAITING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    input = models.JSONField(default=dict)
    current_step = models.CharField(max_length=24, blank=True, default="")
    starts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="tenant_has_one_unfinished_run",
                fields=["tenant"],
                condition=Q(state__in=["queued", "running", "waiting", "compensating"]),
            ),
            models.CheckConstraint(
                name="finished_run_has_date", condition=~Q(state="done") | Q(finished_at__isnull=False)
            ),
        ]


class Step(models.Model):
    """One step of a run: its start is counted before it acts (platform.md 3.5)."""

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=24)
    position = models.PositiveSmallIntegerField()
    is_soft = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    idem_key = models.CharField(max_length=120, unique=True)
    starts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="run_has_step_once", fields=["run", "name"]),
            models.CheckConstraint(
                name="done_step_has_date", condition=~Q(state="done") | Q(finished_at__isnull=False)
            ),
        ]


class RunEvent(models.Model):
    """What happened, in order; progress pages read from here and never go backwards."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=24)
    step = models.CharField(max_length=24, blank=True, default="")
    args = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(name="run_event_has_its_place", fields=["run", "seq"])]
