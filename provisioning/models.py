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
    stamp = models.CharField(max_length=64, blank=True, default="")
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
        # Whoever claims one must not look through all those that were handed out before.
        indexes = [models.Index(name="slot_waits", fields=["release", "built_at"], condition=Q(state="ready"))]


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
    DRIVEN = (*OPEN, State.COMPENSATING)

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


class MigrationPlan(models.Model):
    """The statements that bring a schema from one release to another, rehearsed once (platform.md 3.7)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    from_release = models.CharField(max_length=40)
    to_release = models.CharField(max_length=40)
    schema_name = models.CharField(max_length=34, unique=True)
    migrations = models.JSONField(default=list)
    statements = models.JSONField(default=list)
    tasks = models.JSONField(default=list)
    # The tables whose catalogue rows the statements write, and what these tables are afterwards; none when unknown.
    touched = models.JSONField(default=list)
    touched_fingerprint = models.CharField(max_length=64, blank=True, default="")
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_plan_per_pair_of_releases", fields=["from_release", "to_release"]),
            models.CheckConstraint(name="made_plan_is_whole", condition=Q(made_at__isnull=True) | ~Q(fingerprint="")),
        ]


class MigrationWave(models.Model):
    """Those who are migrated together: first schemas that wait, then more and more companies."""

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        PAUSED = "paused"
        STOPPED = "stopped"
        DONE = "done"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    release = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=20)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    budget = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="wave_has_its_place", fields=["release", "position"])]


class MigrationState(models.Model):
    """How far one schema is on its way to one release, and the statement at which it stands."""

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        HELD = "held"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wave = models.ForeignKey(MigrationWave, on_delete=models.PROTECT, related_name="schemas")
    release = models.CharField(max_length=40)
    from_release = models.CharField(max_length=40)
    schema_name = models.CharField(max_length=34)
    state = models.CharField(max_length=7, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    statement = models.TextField(blank=True, default="")
    error = models.TextField(blank=True, default="")
    duration_ms = models.PositiveIntegerField(null=True)
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="schema_goes_to_a_release_once", fields=["release", "schema_name"]),
            models.CheckConstraint(
                name="migrated_schema_has_fingerprint",
                condition=~Q(state="done") | (~Q(fingerprint="") & Q(finished_at__isnull=False)),
            ),
            models.CheckConstraint(name="failed_schema_has_error", condition=~Q(state="failed") | ~Q(error="")),
        ]
        indexes = [models.Index(name="migration_due", fields=["wave", "state", "next_at"])]
