"""From a stored file to batches of records, always the same way and in the same order, so that work can resume."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from tenants.context import TenantContext

from .customer_rows import customer_key, read_customers
from .customer_store import store_customers
from .decode import FileFormat, read_rows
from .fields import Kind
from .files import open_file
from .invoice_rows import invoice_key, read_invoices
from .invoice_store import store_invoices
from .mapping import Mapping
from .models import TransferJob
from .outcome import Outcome
from .table import Locale, Parsed, Table, survey_rows

BATCH = 500

KINDS: dict[str, Kind] = {
    TransferJob.Kind.IMPORT_CUSTOMERS: "customers",
    TransferJob.Kind.IMPORT_INVOICES: "invoices",
}


@dataclass(frozen=True)
class Pipeline:
    """An open file, read as its mapping says."""

    file: BinaryIO
    layout: FileFormat
    table: Table

    def batches(self, *, after_rows: int = 0) -> Iterator[list[Parsed[Any]]]:
        """Yield records in batches, leaving out those of the first `after_rows` rows that were handled before."""
        read: Any = read_customers if self.table.mapping.kind == "customers" else read_invoices
        records = read(read_rows(self.file, self.layout), self.table)
        handled = 0
        while handled < after_rows:
            handled += len(next(records).rows)
        while batch := list(islice(records, BATCH)):
            yield batch

    def store(self, batch: list[Parsed[Any]], *, now: datetime, dry_run: bool) -> Outcome:
        """Put a batch into the schema in scope, or only say what that would do."""
        if self.table.mapping.kind == "customers":
            return store_customers(batch, now=now, dry_run=dry_run)
        return store_invoices(batch, table=self.table, now=now, dry_run=dry_run)


@contextmanager
def open_pipeline(job: TransferJob, context: TenantContext) -> Iterator[Pipeline]:
    """Open the file of a job and survey it; raises FileNotFoundError, FileRefused."""
    tenant = context.tenant
    layout = FileFormat.from_json(job.dialect)
    mapping = Mapping.from_json(job.mapping)
    locale = Locale(tenant.currency, tenant.country, tenant.zone)
    with open_file(job.storage_key, tenant_id=tenant.id) as file:
        table = Table(layout.headers, mapping, locale)
        key_of = customer_key(table) if mapping.kind == "customers" else invoice_key(table)
        survey = survey_rows(read_rows(file, layout), table, key_of)
        yield Pipeline(file, layout, Table(layout.headers, mapping, locale, survey))
