"""The steps of an import: choose a file, match its columns, see what will happen, watch it, read the report."""

from __future__ import annotations

from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission
from portal.importing.decode import MAX_BYTES, FileFormat
from portal.importing.fields import FIELDS, fields_by_key
from portal.importing.mapping import Mapping, find_problems
from portal.importing.models import TransferJob
from portal.importing.outcome import Outcome
from portal.importing.pipeline import KINDS
from portal.importing.refusals import FileRefused
from portal.importing.services.check_import import request_check
from portal.importing.services.confirm_import import cancel_import, confirm_import
from portal.importing.services.save_mapping import ImportIsNotOpen, MappingRefused, save_mapping
from portal.importing.services.start_import import start_import
from portal.office.imports import pages
from portal.office.imports.forms import ColumnsForm, UploadForm
from portal.office.imports.problem_list import example_file, problem_lines

State = TransferJob.State
PAGE_OF_STATE = {
    State.UPLOADED: "office:import_columns",
    State.MAPPED: "office:import_columns",
    State.CHECKING: "office:import_progress",
    State.CHECKED: "office:import_preview",
    State.QUEUED: "office:import_progress",
    State.RUNNING: "office:import_progress",
    State.DONE: "office:import_report",
    State.FAILED: "office:import_report",
    State.CANCELED: "office:import_report",
}


def get_import(job_id: UUID) -> TransferJob:
    """Return an import of this company; anything else does not exist."""
    job = TransferJob.objects.filter(pk=job_id, kind__in=list(KINDS)).first()
    if job is None:
        raise Http404
    return job


def to_current_page(job: TransferJob) -> HttpResponseRedirect:
    """Send the browser to the page that fits the state of the import."""
    return HttpResponseRedirect(reverse(PAGE_OF_STATE[State(job.state)], args=[job.pk]), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.IMPORT)
def upload(request: StaffRequest) -> HttpResponse:
    """Take a file and go on to its columns."""
    kind = request.GET.get("kind", "customers")
    form = UploadForm(initial={"kind": kind if kind in FIELDS else "customers"})
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            file: UploadedFile[bytes] = form.cleaned_data["file"]
            try:
                job = start_import(
                    kind=form.cleaned_data["kind"],
                    file_name=file.name or "",
                    chunks=file.chunks(),
                    context=request.context,
                    by=request.actor,
                    now=timezone.now(),
                )
            except FileRefused as refused:
                form.add_error("file", refused.message)
            else:
                return to_current_page(job)
    examples = [(_("Example for customers"), "customers"), (_("Example for invoices"), "invoices")]
    context = {
        "form": form,
        "jobs": pages.earlier_imports(),
        "max_megabytes": MAX_BYTES // 1024 // 1024,
        "sample_urls": [
            {"url": reverse("office:import_example", args=[example]), "text": text} for text, example in examples
        ],
    }
    return render(request, "office/import_upload.html", context, status=422 if form.errors else 200)


@require_safe
@staff_view(Permission.IMPORT)
def example(request: StaffRequest, kind: str) -> HttpResponse:
    """Give a small list that imports as it is."""
    if kind not in FIELDS:
        raise Http404
    return _attachment(HttpResponse(example_file(kind)), f"porchlight-{kind}.csv")


@require_safe
@staff_view(Permission.IMPORT)
def go_on(request: StaffRequest, job_id: UUID) -> HttpResponse:
    """Open an import where it stands."""
    return to_current_page(get_import(job_id))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.IMPORT)
def columns(request: StaffRequest, job_id: UUID) -> HttpResponse:
    """Match the columns, then check the file."""
    job = get_import(job_id)
    if job.state not in (State.UPLOADED, State.MAPPED, State.CHECKED):
        return to_current_page(job)
    kind = KINDS[job.kind]
    mapping = Mapping.from_json(job.mapping)
    form = ColumnsForm(request.POST or None, kind=kind, headers=job.columns, mapping=mapping)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            save_mapping(job=job, mapping=form.mapping(), by=request.actor, now=now)
            request_check(job=job, context=request.context, now=now)
            return to_current_page(job)
        except MappingRefused as refused:
            form.add_problems(refused.problems)
        except ImportIsNotOpen as closed:
            return to_current_page(closed.job)
    sample = FileFormat.from_json(job.dialect).sample
    fields = fields_by_key(kind)
    missing = [] if form.is_bound else find_problems(mapping, width=len(job.columns))
    context = {
        "job": pages.job_view(job),
        "form": form,
        "columns": [
            {
                "field": form[f"c{position}"],
                "header": header,
                "samples": [row[position][:40] for row in sample if row[position]][:3],
                "note": _("Please check") if _is_unsure(mapping, position) else "",
            }
            for position, header in enumerate(job.columns)
        ],
        "missing": [str(fields[problem.field].label) for problem in missing if problem.field in fields],
    }
    return render(request, "office/import_mapping.html", context, status=422 if form.errors else 200)


def _is_unsure(mapping: Mapping, position: int) -> bool:
    return mapping.confidence.get(mapping.field_of(position), 1.0) < 0.8


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.IMPORT)
def preview(request: StaffRequest, job_id: UUID) -> HttpResponse:
    """Show what the import will do, and start it."""
    job = get_import(job_id)
    if job.state != State.CHECKED:
        return to_current_page(job)
    if request.method == "POST":
        if request.POST.get("step") != "run":
            return HttpResponseRedirect(reverse("office:import_columns", args=[job.pk]), status=303)
        try:
            confirm_import(job=job, by=request.actor, now=timezone.now())
        except ImportIsNotOpen as closed:
            job = closed.job
        return to_current_page(job)
    outcome = Outcome.from_json(job.checks["outcome"])
    errors, more_errors = pages.findings(outcome, "error")
    warnings, more_warnings = pages.findings(outcome, "warning")
    headers, rows = pages.sample_table(job)
    to_write = outcome.created + outcome.updated
    context = {
        "job": pages.job_view(job),
        "counts": pages.check_figures(outcome),
        "notes": [pages.NOTES[code] for code in job.checks["notes"]],
        "problems": errors,
        "more_problems": more_errors,
        "warnings": warnings,
        "more_warnings": more_warnings,
        "sample_headers": headers,
        "sample_rows": rows,
        "can_run": to_write > 0,
        "run_label": pages.run_label(KINDS[job.kind], to_write),
        "errors_url": _problems_url(job) if outcome.issues else "",
    }
    return render(request, "office/import_preview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.IMPORT)
def progress(request: StaffRequest, job_id: UUID) -> HttpResponse:
    """Show how far the check or the import has come; the page goes on by itself."""
    job = get_import(job_id)
    if request.method == "POST":
        try:
            cancel_import(job=job, by=request.actor, now=timezone.now())
        except ImportIsNotOpen as closed:
            job = closed.job
        return to_current_page(job)
    if PAGE_OF_STATE[State(job.state)] != "office:import_progress":
        return to_current_page(job)
    context = {
        "job": pages.job_view(job),
        "progress": pages.progress_view(job),
        "poll_url": reverse("office:import_progress", args=[job.pk]),
    }
    fragment = "#progress" if request.headers.get("X-Fragment") else ""
    return render(request, f"office/import_progress.html{fragment}", context)


@require_safe
@staff_view(Permission.IMPORT)
def report(request: StaffRequest, job_id: UUID) -> HttpResponse:
    """Show what became of an import."""
    job = get_import(job_id)
    if PAGE_OF_STATE[State(job.state)] != "office:import_report":
        return to_current_page(job)
    outcome = Outcome.from_json(job.report)
    errors, more_errors = pages.findings(outcome, "error")
    warnings, more_warnings = pages.findings(outcome, "warning")
    customers = KINDS[job.kind] == "customers"
    context = {
        "job": pages.job_view(job),
        "state": {State.DONE: "done", State.FAILED: "failed"}.get(State(job.state), "stopped"),
        "counts": pages.report_figures(job),
        "problems": errors,
        "more_problems": more_errors,
        "warnings": warnings,
        "more_warnings": more_warnings,
        "errors_url": _problems_url(job) if outcome.issues else "",
        "failure_text": pages.failure_text(job),
        "next_url": reverse("office:customers"),
        "next_label": _("Invite customers") if customers else _("See your customers"),
    }
    return render(request, "office/import_report.html", context)


@require_safe
@staff_view(Permission.IMPORT)
def problems(request: StaffRequest, job_id: UUID) -> HttpResponse:
    """Give the findings of an import or of its preview as a CSV file."""
    job = get_import(job_id)
    outcome = Outcome.from_json(job.report or job.checks.get("outcome", {}))
    lines = problem_lines(outcome.issues)
    return _attachment(HttpResponse("".join(lines)), f"problems-{job.created_at:%Y-%m-%d}.csv")


def _problems_url(job: TransferJob) -> str:
    return reverse("office:import_problems", args=[job.pk])


def _attachment(response: HttpResponse, name: str) -> HttpResponse:
    response["Content-Type"] = "text/csv; charset=utf-8"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
