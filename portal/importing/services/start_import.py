"""Take an uploaded list: keep it, look at it, and propose what its columns mean."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import PurePath

from django.db import transaction

from portal.importing.decode import clean_cell, inspect_file
from portal.importing.fields import Kind
from portal.importing.files import open_file, remove_file, store_file
from portal.importing.mapping import guess_mapping
from portal.importing.models import TransferJob
from tenants.audit import Actor, record
from tenants.context import TenantContext
from tenants.outbox import emit

# A list that nobody imports is people's data that nobody needs.
KEPT = timedelta(days=14)


def start_import(
    *, kind: Kind, file_name: str, chunks: Iterable[bytes], context: TenantContext, by: Actor, now: datetime
) -> TransferJob:
    """Store the file and create its job with a proposed mapping; raises FileRefused and then keeps nothing.

    A job that is not confirmed within KEPT is forgotten, its file with it.
    """
    tenant_id = context.tenant.id
    stored = store_file(chunks, tenant_id=tenant_id)
    try:
        with open_file(stored.key, tenant_id=tenant_id) as file:
            layout = inspect_file(file)
        mapping = guess_mapping(kind, layout.headers, layout.sample)
        with transaction.atomic():
            job = TransferJob.objects.create(
                kind=f"import_{kind}",
                file_name=_shown_name(file_name),
                storage_key=stored.key,
                size_bytes=stored.size,
                sha256=stored.sha256,
                dialect=layout.as_json(),
                columns=list(layout.headers),
                mapping=mapping.as_json(),
                rows_total=layout.rows,
                started_by=by.id,
                created_at=now,
            )
            record("import.uploaded", by=by, now=now, target=job, after={"file": job.file_name, "rows": layout.rows})
            payload = {"job": str(job.pk)}
            emit("import.forget", key=f"import.forget:{job.pk}", payload=payload, now=now + KEPT)
    except BaseException:
        remove_file(stored.key)
        raise
    return job


def _shown_name(file_name: str) -> str:
    """Return the last part of the name the browser sent, for display only; it never becomes a path."""
    name = clean_cell(PurePath(file_name.replace("\\", "/")).name).replace("\n", " ")
    return name[-200:] or "list.csv"
