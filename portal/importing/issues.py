"""What can be wrong with a row, in words that say what to do; warnings do not keep a row out, errors do."""

from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Severity = Literal["error", "warning"]

ERRORS: dict[str, str | Promise] = {
    "too_many_cells": _(
        "This row has more cells than there are column names. Put quotation marks around text that holds a comma."
    ),
    "too_long": _("This is longer than %(limit)s characters. Shorten it."),
    "missing_name": _("This row has no name. Add the customer’s name or company."),
    "missing_customer_id": _("This row has no customer ID. Add it, or leave the ID column out for all rows."),
    "same_name_twice": _(
        "Another customer has this name but a different e-mail (row %(other)s). "
        "Add a column with customer IDs so that we can tell them apart."
    ),
    "missing_number": _("This row has no invoice number. Add it."),
    "missing_customer": _("This invoice names no customer. Add the customer’s ID, name or e-mail."),
    "unknown_customer": _("We found no such customer. Import the customers first, or correct this cell."),
    "several_customers": _("Several customers fit. Use the customer ID to say which one."),
    "missing_date": _("This invoice has no date. Add it."),
    "not_a_date": _("This is not a date we can read. Write it like 2026-11-30."),
    "date_out_of_range": _("This date lies before 1990 or after 2099. Correct the year."),
    "due_before_issue": _("The due date %(due)s is before the invoice date %(issued)s. Correct one of them."),
    "not_a_number": _("This is not an amount we can read. Write it like 1234.50."),
    "too_large": _("This amount is too large. Check the decimal point."),
    "other_currency": _("This amount is not in %(currency)s. Your portal bills in %(currency)s only."),
    "unknown_currency": _("We don’t know this currency. Use a three-letter code such as USD."),
    "unknown_status": _("We don’t know this status. Use Draft, Open, Paid, Void or Written off."),
    "missing_amount": _("This invoice has no amount. Add a total or line totals."),
    "negative_total": _("The total is negative. Enter credits in the office, not as an invoice."),
    "negative_paid": _("The amount paid is negative. Correct it."),
    "total_differs": _("The lines with tax and discount come to %(sum)s but the total says %(total)s. Correct one."),
    "paid_beyond_total": _("The amount paid, %(paid)s, is more than the total, %(total)s. Correct one of them."),
    "balance_differs": _(
        "Total %(total)s less paid %(paid)s is not the balance %(balance)s. Correct one of the three."
    ),
    "paid_but_due": _("The status says paid, but %(due)s is still due. Correct the status or the amount paid."),
    "void_but_paid": _("A void or draft invoice cannot have a payment. Correct the status or the amount paid."),
    "invoice_differs": _(
        "Row %(other)s is the same invoice and says “%(theirs)s” here. Make them the same, or give one another number."
    ),
    "invoice_id_twice": _("The invoice in row %(other)s has the same invoice ID. Each invoice needs its own."),
    "invoice_has_payments": _(
        "Customers have paid this invoice here since. Correct it in the office instead of importing it again."
    ),
    "invoice_is_closed": _("This invoice is void or written off here. It stays as it is."),
    "invoice_number_taken": _("Another invoice already has this number. Correct the number or the invoice ID."),
}

WARNINGS: dict[str, str | Promise] = {
    "bad_email": _("This is not an e-mail address. We leave it out."),
    "bad_phone": _("This is not a complete phone number. We leave it out."),
    "shared_email": _("The customer in row %(other)s has the same e-mail. Both are imported."),
    "odd_postal_code": _("This does not look like a ZIP code. We keep it as it is."),
    "unknown_country": _("We don’t know this country. We leave it out."),
    "unknown_language": _("We speak English and Spanish. This customer gets your usual language."),
    "unknown_kind": _("We can’t tell person from company here. We take a person, or a company if one is named."),
    "customer_repeats": _("The same customer as in row %(other)s, with nothing new. We import it once."),
    "customer_differs": _("Row %(other)s is the same customer and says “%(theirs)s” here. We keep that."),
    "location_without_street": _("This service address has no street. We leave it out."),
    "ambiguous_date": _("Other dates in this column are written day first and month first. We read this as %(day)s."),
    "ambiguous_amount": _("This column uses both comma and point for cents. We read this as %(amount)s."),
    "no_due_date": _("No due date. We take the invoice date."),
    "rounded": _("Fractions of a cent are rounded to %(amount)s."),
    "rounding_line": _("The lines differ from the total by %(difference)s. We add a line for rounding."),
    "line_total_differs": _("Quantity times price is %(product)s. We keep the line total."),
    "duplicate_row": _("The same row as row %(other)s. We import it once."),
    "paid_although_open": _("The status says open, but nothing is due. We mark it as paid."),
    "tax_once": _("Each row of this invoice shows the same tax. We count it once."),
    "no_invoice": _("This row belongs to no invoice. We skip it."),
}


@dataclass(frozen=True, slots=True)
class RowIssue:
    """One finding: the row as a spreadsheet numbers it, the header of the column, and what it means."""

    row: int
    column: str
    severity: Severity
    code: str
    value: str = ""
    params: dict[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The text in the reader's language."""
        catalogue = ERRORS if self.severity == "error" else WARNINGS
        return str(catalogue[self.code]) % self.params

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` accepts; the text is made anew for each reader."""
        return {
            "row": self.row,
            "column": self.column,
            "severity": self.severity,
            "code": self.code,
            "value": self.value,
            "params": self.params,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "RowIssue":
        """Rebuild the value stored by `as_json`."""
        return cls(**data)


def error(row: int, column: str, code: str, value: str = "", **params: object) -> RowIssue:
    """Return a finding that keeps the record out."""
    return RowIssue(row, column, "error", code, value[:100], {key: str(item) for key, item in params.items()})


def warning(row: int, column: str, code: str, value: str = "", **params: object) -> RowIssue:
    """Return a finding that the office should know; the record is imported."""
    return RowIssue(row, column, "warning", code, value[:100], {key: str(item) for key, item in params.items()})
