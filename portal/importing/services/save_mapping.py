"""Keep what the office says the columns mean."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from portal.importing.mapping import Mapping, MappingProblem, find_problems
from portal.importing.models import TransferJob
from tenants.audit import Actor, record

OPEN_STATES = (TransferJob.State.UPLOADED, TransferJob.State.MAPPED, TransferJob.State.CHECKED)


class MappingRefused(Exception):
    """The columns cannot be used as matched; `problems` say why, each at its field."""

    def __init__(self, problems: list[MappingProblem]) -> None:
        self.problems = problems
        super().__init__([problem.code for problem in problems])


class ImportIsNotOpen(Exception):
    """The import has moved on (it runs, is done or was canceled) and takes this step no more."""

    def __init__(self, job: TransferJob) -> None:
        self.job = job
        super().__init__(f"Import {job.pk} is {job.state}.")


def save_mapping(*, job: TransferJob, mapping: Mapping, by: Actor, now: datetime) -> TransferJob:
    """Store the mapping and forget an earlier check; raises MappingRefused, ImportIsNotOpen."""
    problems = find_problems(mapping, width=len(job.columns))
    if problems:
        raise MappingRefused(problems)
    with transaction.atomic():
        changed = TransferJob.objects.filter(pk=job.pk, state__in=OPEN_STATES).update(
            state=TransferJob.State.MAPPED, mapping=mapping.as_json(), checks={}, next_row=0
        )
        job.refresh_from_db()
        if not changed:
            raise ImportIsNotOpen(job)
        record("import.mapped", by=by, now=now, target=job, after={"columns": dict(mapping.columns)})
    return job
