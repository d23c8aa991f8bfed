"""Why a whole file is refused, and what the office reads about it: what is wrong and what to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HELP: dict[str, str | Promise] = {
    "too_big": _("This file is larger than %(limit)s MB. Split it into smaller files and upload them one by one."),
    "too_many_rows": _("This file has more than %(limit)s rows. Split it and upload the parts one by one."),
    "too_many_columns": _("Row %(row)s has more than %(limit)s columns. Export only the columns you need."),
    "cell_too_long": _(
        "A cell in row %(row)s is longer than %(limit)s characters. "
        "A quotation mark may be missing near it. Correct the row and upload the file again."
    ),
    "quotes": _(
        "The quotation marks in row %(row)s don't match. Correct that row, or export the file again, and upload it."
    ),
    "empty": _("This file is empty. Export it again and check that it holds your records."),
    "no_rows": _("This file has column names but no rows below them. Export it again with your records."),
    "no_header": _(
        "The first row must hold the column names, such as Name or Email. Add that row and upload the file again."
    ),
    "one_column": _(
        "We found only one column. Save the file as CSV with commas between the columns and upload it again."
    ),
    "not_csv": _("This is not a CSV file. Export or save your list as CSV and upload that file."),
    "workbook": _(
        "This is an Excel workbook or a ZIP file. In Excel choose Save as, pick CSV UTF-8, and upload that file."
    ),
    "pdf": _("This is a PDF. We need the list itself: export it as CSV and upload that file."),
    "compressed": _("This file is compressed. Unpack it and upload the CSV file inside."),
    "web_page": _(
        "This is a web page, even if its name ends in .xls or .csv. "
        "Open it in Excel, choose Save as, pick CSV UTF-8, and upload that file."
    ),
    "binary": _("This is not a text file. Export or save your list as CSV and upload that file."),
}


class FileRefused(Exception):
    """The file as a whole cannot be imported; `message` says why and what to do."""

    def __init__(self, code: str, *, row: int | None = None, **params: object) -> None:
        self.code = code
        self.row = row
        self.params: dict[str, object] = {**params, "row": row} if row is not None else dict(params)
        super().__init__(code, self.params)

    @property
    def message(self) -> str:
        return str(HELP[self.code]) % self.params
