"""A process that imports a list and may be killed at any time; started by test_import_survives_kill."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from uuid import UUID

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from portal.importing.mapping import Mapping  # noqa: E402
from portal.importing.models import TransferJob  # noqa: E402
from portal.importing.services import check_import  # noqa: E402
from portal.importing.services.confirm_import import confirm_import  # noqa: E402
from portal.importing.services.run_import import run_import  # noqa: E402
from portal.importing.services.save_mapping import save_mapping  # noqa: E402
from portal.importing.services.start_import import start_import  # noqa: E402
from tenants.audit import SYSTEM  # noqa: E402
from tenants.context import TenantContext, serving  # noqa: E402
from tests import databases  # noqa: E402
from tests.cast import ACME  # noqa: E402


def prepare(context: TenantContext, path: Path) -> TransferJob:
    """Take the list through to its confirmation."""
    now = timezone.now()
    chunks = [path.read_bytes()]
    job = start_import(kind="customers", file_name=path.name, chunks=chunks, context=context, by=SYSTEM, now=now)
    save_mapping(job=job, mapping=Mapping.from_json(job.mapping), by=SYSTEM, now=now)
    check_import.request_check(job=job, context=context, now=now)
    return confirm_import(job=job, by=SYSTEM, now=now)


def main(database: str, media: str, source: str) -> None:
    """Import `source`, or go on with it when it is the id of a job."""
    settings.MEDIA_ROOT = Path(media)
    check_import.ROWS_AT_ONCE = 1_000_000
    databases.use(database)
    with serving(ACME, timezone.now()) as context:
        path = Path(source)
        job_id = prepare(context, path).pk if path.exists() else UUID(source)
        run_import(job_id=job_id, context=context, clock=timezone.now)


if __name__ == "__main__":
    main(*sys.argv[1:])
