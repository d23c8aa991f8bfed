"""What staff choose while importing: a file and its kind, and the meaning of each column."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.importing.decode import MAX_BYTES
from portal.importing.fields import FIELDS, Kind
from portal.importing.mapping import Mapping, MappingProblem
from portal.importing.refusals import FileRefused

KINDS = [("customers", _("Customers")), ("invoices", _("Invoices"))]


class UploadForm(forms.Form):
    """A file and what it lists."""

    kind = forms.ChoiceField(
        label=_("What is in the file?"), choices=KINDS, widget=forms.RadioSelect, initial="customers"
    )
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("Export your list from ServiceTitan, Housecall Pro, Jobber, QuickBooks or a spreadsheet as CSV."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("This file is empty. Export it again and check that it holds your records."),
        },
    )

    def clean_file(self) -> UploadedFile[bytes]:
        """Refuse a file that is too large before it is read."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(FileRefused("too_big", limit=MAX_BYTES // 1024 // 1024).message)
        return file


class ColumnsForm(forms.Form):
    """One choice per column of the file, and how dates and amounts are written."""

    date_order = forms.ChoiceField(
        label=_("A date like 03/04/2026 means"),
        choices=[("auto", _("Find out from the file")), ("mdy", _("March 4")), ("dmy", _("3 April"))],
        initial="auto",
    )
    decimal_mark = forms.ChoiceField(
        label=_("An amount like 1,234 means"),
        choices=[
            ("auto", _("Find out from the file")),
            (".", _("One thousand two hundred thirty-four")),
            (",", _("One and a bit: the comma divides cents")),
        ],
        initial="auto",
    )

    def __init__(self, data: Any = None, *, kind: Kind, headers: list[str], mapping: Mapping) -> None:
        super().__init__(data)
        self.kind = kind
        self.headers = headers
        choices = [("", _("Leave out")), *((field.key, field.label) for field in FIELDS[kind])]
        for position, header in enumerate(headers):
            self.fields[f"c{position}"] = forms.ChoiceField(
                label=header, choices=choices, required=False, initial=mapping.field_of(position)
            )
        self.initial = {"date_order": mapping.date_order, "decimal_mark": mapping.decimal_mark}

    def mapping(self) -> Mapping:
        """Return what was chosen; a field chosen twice is refused in `clean`."""
        chosen = {
            self.cleaned_data[f"c{position}"]: position
            for position in range(len(self.headers))
            if self.cleaned_data.get(f"c{position}")
        }
        return Mapping(
            self.kind,
            chosen,
            date_order=self.cleaned_data["date_order"],
            decimal_mark=self.cleaned_data["decimal_mark"],
        )

    def clean(self) -> dict[str, Any]:
        """Refuse one field for two columns, at the second of them."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        taken: dict[str, str] = {}
        for position, header in enumerate(self.headers):
            key = cleaned.get(f"c{position}")
            if key and key in taken:
                text = gettext("You picked this for “%(header)s” already. Choose one of the two.")
                self.add_error(f"c{position}", text % {"header": taken[key]})
            elif key:
                taken[key] = header
        return cleaned

    def add_problems(self, problems: list[MappingProblem]) -> None:
        """Show why the mapping cannot be used."""
        for problem in problems:
            self.add_error(None, str(problem.message))
