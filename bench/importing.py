"""How fast a contractor's lists become records: customers, then their invoices, through the product's services."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from bench.lists import customer_list, invoice_list
from bench.place import server_version, temporary_place
from bench.report import Row

if TYPE_CHECKING:
    from portal.importing.fields import Kind

ABOUT = (
    "A company's customers, then one invoice for each, one row a record, through the services that office and worker"
    " call: upload and match the columns, check (the dry run), import in short transactions. There is no peer: no"
    " other program's import was measured, so only our own figures stand here. Memory is the most that the process held"
    " during that list, Django and the product's code included, the server's left out."
)


class Incomplete(RuntimeError):
    """Not every row became a record, so a time would mean nothing."""


def import_list(kind: Kind, pieces: Iterator[bytes], size: int) -> list[Row]:
    """Take one list all the way into Acme's schema; returns its rows. Raises Incomplete."""
    from django.utils import timezone

    from portal.importing.mapping import Mapping
    from portal.importing.services import check_import
    from portal.importing.services.confirm_import import confirm_import
    from portal.importing.services.run_import import run_import
    from portal.importing.services.save_mapping import save_mapping
    from portal.importing.services.start_import import start_import
    from tenants.audit import SYSTEM
    from tenants.context import serving
    from tests.cast import ACME

    now = timezone.now()
    took: dict[str, float] = {}
    _forget_highest_memory()
    with serving(ACME, now) as context:
        began = perf_counter()
        job = start_import(kind=kind, file_name=f"{kind}.csv", chunks=pieces, context=context, by=SYSTEM, now=now)
        job = save_mapping(job=job, mapping=Mapping.from_json(job.mapping), by=SYSTEM, now=now)
        took["upload"] = perf_counter() - began
        began = perf_counter()
        job = check_import.request_check(job=job, context=context, now=now)
        if job.state == job.State.CHECKING:
            # A long list is the worker's; this is what it calls.
            job = check_import.check_import(job=job, context=context, clock=timezone.now)
        took["check"] = perf_counter() - began
        job = confirm_import(job=job, by=SYSTEM, now=now)
        began = perf_counter()
        run_import(job_id=job.pk, context=context, clock=timezone.now)
        took["import"] = perf_counter() - began
        job.refresh_from_db()
    if (job.state, job.created_count) != (job.State.DONE, size):
        raise Incomplete(f"{kind}: {job.state}, {job.created_count} of {size} created, {job.error_count} refused")
    rows = [Row(f"{kind}, {step}", "rows/s", size / seconds) for step, seconds in took.items()]
    rows.append(Row(f"{kind}, all three", "s", sum(took.values())))
    rows.append(Row(f"{kind}, highest memory", "MiB", _highest_memory()))
    return rows


def run(*, size: int = 50_000, **_: object) -> tuple[list[Row], int]:
    """Measure; returns the rows and the server's version number. Raises Incomplete."""
    with temporary_place() as server:
        from tests.cast import make_cast

        make_cast()
        _forget_highest_memory()
        before = Row("before the first list, memory", "MiB", _highest_memory())
        rows = [Row("rows in each list", "count", float(size)), before]
        rows += import_list("customers", customer_list(size), size)
        rows += import_list("invoices", invoice_list(size), size)
        return rows, server_version(server)


def _forget_highest_memory() -> None:
    """Begin counting anew where the system can (Linux)."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def _highest_memory() -> float:
    """Return the most memory that this process has held since counting began, in MiB."""
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
