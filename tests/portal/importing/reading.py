"""Read a small table the way the import does, for tests."""

import io
from typing import Any

from portal.importing.customer_rows import CustomerInput, customer_key, read_customers
from portal.importing.decode import inspect_file, read_rows
from portal.importing.invoice_rows import InvoiceInput, invoice_key, read_invoices
from portal.importing.mapping import find_problems, guess_mapping
from portal.importing.table import Locale, Parsed, Table, survey_rows

US = Locale()


def table_of(kind: Any, data: bytes, locale: Locale = US) -> tuple[io.BytesIO, Any, Table]:
    """Return the file, its format and the table with a guessed mapping and a finished survey."""
    file = io.BytesIO(data)
    layout = inspect_file(file)
    mapping = guess_mapping(kind, layout.headers, layout.sample)
    assert find_problems(mapping, width=len(layout.headers)) == []
    table = Table(layout.headers, mapping, locale)
    key_of = customer_key(table) if kind == "customers" else invoice_key(table)
    survey = survey_rows(read_rows(file, layout), table, key_of)
    return file, layout, Table(layout.headers, mapping, locale, survey)


def customers(text: str | bytes, locale: Locale = US) -> list[Parsed[CustomerInput]]:
    """Return all customers of a file."""
    file, layout, table = table_of("customers", text.encode() if isinstance(text, str) else text, locale)
    return list(read_customers(read_rows(file, layout), table))


def invoices(text: str | bytes, locale: Locale = US) -> list[Parsed[InvoiceInput]]:
    """Return all invoices of a file."""
    file, layout, table = table_of("invoices", text.encode() if isinstance(text, str) else text, locale)
    return list(read_invoices(read_rows(file, layout), table))


def codes(parsed: Parsed[Any]) -> list[str]:
    """Return the codes of the findings, errors in capitals."""
    return [issue.code.upper() if issue.severity == "error" else issue.code for issue in parsed.issues]
