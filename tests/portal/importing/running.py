"""Brings a list into a company the way the office's pages do, step by step, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from portal.importing.mapping import Mapping
from portal.importing.models import TransferJob
from portal.importing.services.check_import import request_check
from portal.importing.services.confirm_import import confirm_import
from portal.importing.services.run_import import run_import
from portal.importing.services.save_mapping import save_mapping
from portal.importing.services.start_import import start_import
from tenants.audit import Actor
from tenants.context import TenantContext

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
OLIVE = Actor("staff", None, "Olive Owens")

PEOPLE = (
    b"Customer ID,Name,Email,Phone,Billing Street,City,State,Zip\n"
    b"C-2001,Ana Adams,ana@example.com,(602) 555-0101,1 Elm St,Mesa,AZ,85201\n"
    b"C-2002,Ben Brooks,ben@example.com,,2 Elm St,Mesa,AZ,85201\n"
    b"77,Carla Cole,,602-555-0103,,,,\n"
)
BILLS = (
    b"Invoice #,Customer ID,Invoice Date,Due Date,Status,Description,Qty,Rate,Amount,Tax,Total,Amount Paid\n"
    b"9001,C-2001,2026-11-01,2026-12-01,Open,Labor,2,50,100,8,128,28\n"
    b"9001,C-2001,2026-11-01,2026-12-01,Open,Parts,1,20,20,8,128,28\n"
    b"9002,C-2002,2026-10-01,2026-10-31,Paid,Visit,1,89,89,0,89,89\n"
)


def upload(kind: Any, data: bytes, context: TenantContext) -> TransferJob:
    """Store a list, as the first page does."""
    return start_import(kind=kind, file_name="list.csv", chunks=[data], context=context, by=OLIVE, now=NOW)


def check(job: TransferJob, context: TenantContext) -> TransferJob:
    """Accept the guessed columns and have the list checked."""
    save_mapping(job=job, mapping=Mapping.from_json(job.mapping), by=OLIVE, now=NOW)
    return request_check(job=job, context=context, now=NOW)


def run(job: TransferJob, context: TenantContext) -> TransferJob:
    """Do a confirmed import's work, or what is left of it."""
    run_import(job_id=job.pk, context=context, clock=lambda: NOW)
    job.refresh_from_db()
    return job


def bring_in(kind: Any, data: bytes, context: TenantContext) -> TransferJob:
    """Bring a list in from upload to end."""
    job = check(upload(kind, data, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    return run(job, context)


def counts(job: TransferJob) -> tuple[int, int, int, int]:
    """Return how many were created, updated, left alone and refused."""
    return job.created_count, job.updated_count, job.unchanged_count, job.error_count
