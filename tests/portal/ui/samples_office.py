"""Sample contexts of the import's pages; the other pages of the office are drawn from data in tests/portal/office."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace as View

from tests.portal.ui import forms
from tests.portal.ui.sample_data import OFFICE, Pages, badge, pair, step

JOB = View(
    id="j1",
    filename="customers.csv",
    kind="customers",
    row_count=1092,
    finished_at=datetime(2025, 11, 21, 14, 5, tzinfo=UTC),
)
PROBLEMS = [
    View(row=14, column="E-mail", value="renee@acme", text="This is not a complete e-mail address."),
    View(row=220, column="Name", value="", text="The name is missing."),
]
COUNTS = [
    pair("New customers", "1,086"),
    pair("Unchanged", "4", "Same as in Porchlight"),
    pair("Left out", "2", "See below", "bad"),
]


def pages() -> Pages:
    """Return template name (with a variant after #) → context."""
    mapping = forms.MappingForm(initial={"c0": "name", "c1": "email"})
    return {
        "office/import_upload.html": {
            **OFFICE,
            "form": forms.UploadForm(),
            "jobs": [View(url="/j", title="customers.csv", note="Fri 21 Nov, 1,086 rows", badge=badge("Done", "ok"))],
            "max_megabytes": 20,
            "sample_urls": [View(url="/s", text="customers-example.csv")],
        },
        "office/import_mapping.html": {
            **OFFICE,
            "job": JOB,
            "form": mapping,
            "missing": ["Invoice number"],
            "columns": [
                View(field=mapping["c0"], header="Kunde", samples=["Dana Whitfield", "Ruth Okoro"], note=""),
                View(
                    field=mapping["c1"],
                    header="Mail",
                    samples=["dana@whitfield.example"],
                    note="Matched by its values",
                ),
            ],
        },
        "office/import_preview.html": {
            **OFFICE,
            "job": JOB,
            "counts": COUNTS,
            "problems": PROBLEMS,
            "more_problems": 3,
            "sample_headers": ["Name", "E-mail"],
            "sample_rows": [["Dana Whitfield", "dana@whitfield.example"]],
            "can_run": True,
            "run_label": "Import 1,086 customers",
            "errors_url": "/e",
        },
        "office/import_progress.html": {
            **OFFICE,
            "job": JOB,
            "poll_url": "/p",
            "progress": View(
                done=410,
                total=1092,
                text="Writing customers",
                steps=[step("File read", "done"), step("Customers", "now"), step("Addresses")],
            ),
        },
        "office/import_report.html": {
            **OFFICE,
            "job": JOB,
            "state": "done",
            "counts": COUNTS,
            "problems": PROBLEMS,
            "more_problems": 0,
            "errors_url": "/e",
            "next_url": "/office/customers",
            "next_label": "Invite customers",
        },
        "office/import_report.html#failed": {
            **OFFICE,
            "job": JOB,
            "state": "failed",
            "counts": COUNTS,
            "failure_text": "The file could not be read to its end. Nothing was saved.",
        },
    }
