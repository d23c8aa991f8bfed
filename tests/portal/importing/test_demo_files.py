"""The demonstration files hold what the walk-throughs rely on, and nothing real."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from tests.portal.importing.reading import codes, customers, invoices

DEMO = Path(__file__).parents[3] / "demo"
TODAY = date(2026, 11, 21)


def test_acmes_customers_import_but_for_two_deliberate_rows() -> None:
    parsed = customers((DEMO / "acme-customers.csv").read_bytes())
    records = [item.record for item in parsed if item.record]
    assert len(records) >= 300
    assert len(parsed) - len(records) == 2
    by_id = {record.external_id: record for record in records}
    assert (by_id["C-1001"].name, by_id["C-1001"].emails) == ("Alice Archer", ("alice@example.com",))
    assert (by_id["C-1002"].name, by_id["C-1002"].emails) == ("Bob Baker", ("bob@example.com",))
    found = Counter(code for item in parsed for code in codes(item))
    assert {"shared_email", "bad_phone", "customer_repeats"} <= set(found)


def test_acmes_invoices_import_but_for_two_deliberate_ones() -> None:
    parsed = invoices((DEMO / "acme-invoices.csv").read_bytes())
    records = [item.record for item in parsed if item.record]
    assert len(records) >= 1200
    assert len(parsed) - len(records) == 2
    alice = [record for record in records if record.customer_external_id == "C-1001"]
    owed = {(record.status, record.due_on < TODAY) for record in alice if record.total_cents > record.paid_cents}
    assert owed == {("open", True), ("open", False), ("partially_paid", False)}
    assert sum(record.status == "paid" for record in alice) == 3
    assert {record.total_cents for record in alice if record.due_on < TODAY and record.status == "open"} == {41250}


def test_each_deliberate_error_is_found() -> None:
    parsed = invoices((DEMO / "acme-invoices-with-errors.csv").read_bytes())
    errors = {code for item in parsed for code in codes(item) if code.isupper()}
    assert len(errors) >= 11


def test_globex_needs_no_correction() -> None:
    people = customers((DEMO / "globex-customers.csv").read_bytes())
    bills = invoices((DEMO / "globex-invoices.csv").read_bytes())
    assert (len(people), len(bills)) == (20, 60)
    assert all(item.record for item in [*people, *bills])
    charlie = next(item.record for item in people if item.record and item.record.name == "Charlie Chen")
    assert charlie.emails == ("charlie@example.com",)


@pytest.mark.parametrize("path", sorted(DEMO.glob("*.csv")), ids=lambda path: path.name)
def test_nobody_in_the_files_is_real(path: Path) -> None:
    text = path.read_bytes().decode("latin-1")
    domains = set(re.findall(r"@([\w.-]+\w)", text))
    assert domains <= {"example.com", "example.org", "mail.test", "Example.Com", "Example.Org", "Mail.Test"}
    for phone in re.findall(r"\(?\d{3}\)?[-. ]+\d{3}[-. ]\d{4}", text):
        assert re.search(r"555[-. ]01\d\d$", phone), phone
