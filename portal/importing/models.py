"""A transfer of records from (later also to) a file."""

from django.db import models
from django.db.models import F, Q

from infra.ids import uuid7
from tenants.rows import TenantModel


class TransferJob(TenantModel):
    """One import from upload to report; `next_row` is where it goes on after a crash."""

    class Kind(models.TextChoices):
        IMPORT_CUSTOMERS = "import_customers"
        IMPORT_INVOICES = "import_invoices"
        EXPORT = "export"

    class State(models.TextChoices):
        UPLOADED = "uploaded"
        MAPPED = "mapped"
        CHECKING = "checking"
        CHECKED = "checked"
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED)
    file_name = models.CharField(max_length=200)
    storage_key = models.CharField(max_length=120, unique=True)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    dialect = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    checks = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    rows_total = models.PositiveIntegerField(default=0)
    next_row = models.PositiveIntegerField(default=0)
    created_count = models.PositiveIntegerField(default=0)
    updated_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    error_count = models.PositiveIntegerField(default=0)
    starts = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)
    started_by = models.UUIDField(null=True)
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="import_does_not_run_past_its_end", condition=Q(next_row__lte=F("rows_total"))),
            models.CheckConstraint(
                name="finished_import_has_date",
                condition=~Q(state__in=["done", "failed"]) | Q(finished_at__isnull=False),
            ),
        ]
