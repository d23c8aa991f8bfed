"""The findings of an import as a CSV file that a spreadsheet opens without running anything (INJ-07)."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator

from django.utils.translation import gettext as _

from portal.importing.issues import RowIssue

_DANGEROUS = frozenset("=+-@\t\r\n\x00")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def problem_lines(issues: list[RowIssue]) -> Iterator[str]:
    """Yield the lines of the file: errors first, each in the order of rows."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield "\ufeff"
    yield writer.writerow([_("Row"), _("Column"), _("Value"), _("Left out"), _("Reason")])
    for issue in sorted(issues, key=lambda issue: (issue.severity != "error", issue.row)):
        left_out = _("yes") if issue.severity == "error" else _("no")
        yield writer.writerow([issue.row, neutralise(issue.column), neutralise(issue.value), left_out, issue.message])


def neutralise(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula; an apostrophe in front shows it as text."""
    plain = unicodedata.normalize("NFKC", text).replace("\x00", "").lstrip(" \u00a0\"'")
    if text[:1] in _DANGEROUS or plain[:1] in _DANGEROUS:
        return f"'{text}"
    return text


def example_file(kind: str) -> str:
    """Return a small list that imports as it is."""
    rows = {
        "customers": [
            ["Customer ID", "Name", "Company", "Email", "Phone", "Billing street", "Billing city", "Billing state",
             "Billing ZIP", "Service address", "Service city", "Service state", "Service ZIP", "Tags"],
            ["C-1", "Ana Adams", "", "ana@example.com", "(602) 555-0101", "1 Elm Street", "Mesa", "AZ", "85201",
             "9 Oak Street", "Tempe", "AZ", "85281", "maintenance plan"],
        ],
        "invoices": [
            ["Invoice number", "Customer ID", "Invoice date", "Due date", "Description", "Quantity", "Unit price",
             "Line total", "Tax", "Total", "Amount paid"],
            ["1001", "C-1", "2026-11-02", "2026-12-02", "AC tune-up", "1", "129.00", "129.00",
             "10.32", "189.22", "0.00"],
            ["1001", "C-1", "2026-11-02", "2026-12-02", "Filter", "2", "24.95", "49.90",
             "10.32", "189.22", "0.00"],
        ],
    }[kind]  # fmt: skip
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
