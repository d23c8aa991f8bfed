"""What the import pages show, made from a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.importing.decode import FileFormat
from portal.importing.fields import fields_by_key
from portal.importing.issues import RowIssue
from portal.importing.mapping import Mapping
from portal.importing.models import TransferJob
from portal.importing.outcome import Outcome
from portal.importing.pipeline import KINDS
from portal.importing.services.confirm_import import FORGOTTEN
from portal.ui.formats import format_number, format_weekday_date

SHOWN = {"error": 50, "warning": 10}
State = TransferJob.State

BADGES: dict[str, tuple[str | Promise, str, str]] = {
    State.UPLOADED: (gettext_lazy("Columns to check"), "warn", ""),
    State.MAPPED: (gettext_lazy("Columns to check"), "warn", ""),
    State.CHECKING: (gettext_lazy("Being checked"), "info", ""),
    State.CHECKED: (gettext_lazy("Preview ready"), "warn", ""),
    State.QUEUED: (gettext_lazy("Importing"), "info", ""),
    State.RUNNING: (gettext_lazy("Importing"), "info", ""),
    State.DONE: (gettext_lazy("Done"), "ok", "circle-check"),
    State.FAILED: (gettext_lazy("Stopped"), "bad", "circle-alert"),
    State.CANCELED: (gettext_lazy("Stopped by you"), "", ""),
}
NOTES: dict[str, str | Promise] = {
    "dates_unproven": gettext_lazy(
        "Dates such as 03/04/2026 fit both ways. Check in the first rows that they are right."
    ),
    "dates_mixed": gettext_lazy("Some dates are written day first, others month first. The rows in doubt are listed."),
    "amounts_mixed": gettext_lazy("Some amounts use a comma for cents, others a point. The rows in doubt are listed."),
}


@dataclass(frozen=True, slots=True)
class JobView:
    """An import in the head of a page."""

    id: UUID
    filename: str
    kind: str
    row_count: int
    finished_at: Any


NEVER_STARTED = (gettext_lazy("Never started"), "", "")


@dataclass(frozen=True, slots=True)
class Badge:
    """A word with its colour."""

    text: str
    kind: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class EarlierImport:
    """One line of the list of imports."""

    url: str
    title: str
    note: str
    badge: Badge


@dataclass(frozen=True, slots=True)
class Figure:
    """A count with its label."""

    label: str
    value: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding as the table prints it."""

    row: int
    column: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline."""

    text: str
    state: str
    note: str = ""


def job_view(job: TransferJob) -> JobView:
    """Return the head of the pages of an import."""
    return JobView(job.pk, job.file_name, KINDS[job.kind], job.rows_total, job.finished_at)


def earlier_imports() -> list[EarlierImport]:
    """Return the latest imports, the newest first."""
    return [
        EarlierImport(
            reverse("office:import_job", args=[job.pk]),
            job.file_name,
            f"{format_weekday_date(job.created_at)}, {_rows(job.rows_total)}",
            _badge(job),
        )
        for job in TransferJob.objects.filter(kind__in=list(KINDS)).order_by("-created_at")[:10]
    ]


def sample_table(job: TransferJob, *, limit: int = 3) -> tuple[list[str], list[list[str]]]:
    """Return the labels of the matched columns and the first rows below them."""
    mapping = Mapping.from_json(job.mapping)
    fields = fields_by_key(mapping.kind)
    order = [key for key in fields if key in mapping.columns]
    rows = FileFormat.from_json(job.dialect).sample[:limit]
    return [str(fields[key].label) for key in order], [[row[mapping.columns[key]] for key in order] for row in rows]


def check_figures(outcome: Outcome) -> list[Figure]:
    """Return the counts of a preview."""
    return [
        Figure(_("New"), format_number(outcome.created)),
        Figure(_("Changed"), format_number(outcome.updated)),
        Figure(_("Unchanged"), format_number(outcome.unchanged), _("Same as in Porchlight")),
        _left_out(outcome.errors),
    ]


def report_figures(job: TransferJob) -> list[Figure]:
    """Return the counts of an import that ran."""
    return [
        Figure(_("Added"), format_number(job.created_count)),
        Figure(_("Updated"), format_number(job.updated_count)),
        Figure(_("Unchanged"), format_number(job.unchanged_count), _("Same as in Porchlight")),
        _left_out(job.error_count),
    ]


def _left_out(count: int) -> Figure:
    return Figure(_("Left out"), format_number(count), _("See below") if count else "", "bad" if count else "")


def findings(outcome: Outcome, severity: str) -> tuple[list[Problem], int]:
    """Return the first findings of one severity in the order of rows, and how many there are beyond."""
    chosen = sorted((issue for issue in outcome.issues if issue.severity == severity), key=lambda issue: issue.row)
    total = sum(count for code, count in outcome.codes.items() if code.startswith(f"{severity}:"))
    return [as_problem(issue) for issue in chosen[: SHOWN[severity]]], max(0, total - SHOWN[severity])


def as_problem(issue: RowIssue) -> Problem:
    """Return a finding in the reader's words."""
    return Problem(issue.row, issue.column, issue.value, issue.message)


def run_label(kind: str, count: int) -> str:
    """Return the label of the button that starts the import."""
    shown = {"count": format_number(count)}
    if kind == "customers":
        return ngettext("Import %(count)s customer", "Import %(count)s customers", count) % shown
    return ngettext("Import %(count)s invoice", "Import %(count)s invoices", count) % shown


def progress_view(job: TransferJob) -> dict[str, Any]:
    """Return what the progress page shows of a check or an import."""
    checking = job.state in (State.MAPPED, State.CHECKING)
    waiting = job.state == State.QUEUED
    if checking:
        text = _("Checking the rows. Nothing is saved yet.")
    elif waiting:
        text = _("Waiting for its turn. This usually takes a few seconds.")
    else:
        text = _("Saving your records.")
    return {
        "done": job.next_row,
        "total": job.rows_total,
        "text": text,
        "checking": checking,
        "steps": [
            Step(_("File read"), "done"),
            Step(_("Rows checked"), "now" if checking else "done"),
            Step(_("Records saved"), "" if checking or waiting else "now", _left_out_note(job.error_count)),
        ],
    }


def _badge(job: TransferJob) -> Badge:
    word, *look = NEVER_STARTED if job.error == FORGOTTEN else BADGES[job.state]
    return Badge(str(word), *look)


def _left_out_note(count: int) -> str:
    if not count:
        return ""
    return ngettext("%(count)s left out so far", "%(count)s left out so far", count) % {"count": format_number(count)}


def failure_text(job: TransferJob) -> str:
    """Return why an import ended early and what to do."""
    if job.error == FORGOTTEN:
        return _("Nobody started this import for two weeks, so its file was removed. Upload it again to go on.")
    if job.state == State.CANCELED:
        return _("You stopped this import. What it had saved stays. Upload the file again to go on.")
    known = {
        "file_missing": _("The uploaded file is gone. Upload it again; records that are saved are not added twice."),
        "too_many_starts": _("The import broke off again and again. Upload the file again, or write to us."),
    }
    return known.get(job.error, job.error)


def _rows(count: int) -> str:
    return ngettext("%(count)s row", "%(count)s rows", count) % {"count": format_number(count)}
