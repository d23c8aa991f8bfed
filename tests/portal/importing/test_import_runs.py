"""Lists become records: in batches, resumable, and the second time nothing new."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from portal.customers.models import Contact, ContactPoint, Customer, Location
from portal.importing.models import TransferJob
from portal.importing.refusals import FileRefused
from portal.importing.services.confirm_import import cancel_import, confirm_import
from portal.importing.services.save_mapping import ImportIsNotOpen
from portal.invoices.models import Invoice
from tenants.context import TenantContext, prove_tenant
from tenants.schema.models import AuditEvent, OutboxEvent
from tests.cast import ACME
from tests.portal.importing.running import BILLS, NOW, OLIVE, PEOPLE, bring_in, check, counts, run, upload

DEMO = Path(__file__).parents[3] / "demo"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def context(acme: Any) -> TenantContext:
    return prove_tenant(ACME, NOW)


def test_customers_arrive_with_people_addresses_and_numbers(context: TenantContext) -> None:
    job = bring_in("customers", PEOPLE, context)
    assert (job.state, counts(job)) == ("done", (3, 0, 0, 0))
    ana = Customer.objects.get(external_id="C-2001")
    assert (ana.number, ana.name, ana.source) == ("C-2001", "Ana Adams", "import")
    assert ana.bill_to["region"] == "AZ"
    assert list(
        ContactPoint.objects.filter(contact__customer=ana).order_by("kind").values_list("value", flat=True)
    ) == [
        "ana@example.com",
        "+16025550101",
    ]
    assert Location.objects.get(customer=ana).street == "1 Elm St"
    # A bare number of another system could be taken for one of ours.
    assert Customer.objects.get(external_id="77").number == "1101"


def test_importing_again_changes_nothing(context: TenantContext) -> None:
    bring_in("customers", PEOPLE, context)
    bring_in("invoices", BILLS, context)
    before = [model.objects.count() for model in (Customer, Contact, ContactPoint, Location, Invoice)]
    assert counts(bring_in("customers", PEOPLE, context)) == (0, 0, 3, 0)
    assert counts(bring_in("invoices", BILLS, context)) == (0, 0, 2, 0)
    assert [model.objects.count() for model in (Customer, Contact, ContactPoint, Location, Invoice)] == before


def test_a_changed_row_updates_its_customer_and_a_blank_cell_erases_nothing(context: TenantContext) -> None:
    bring_in("customers", PEOPLE, context)
    changed = PEOPLE.replace(b"Ana Adams,ana@example.com,(602) 555-0101", b"Ana Adams-Hill,new@example.com,")
    assert counts(bring_in("customers", changed, context)) == (0, 1, 2, 0)
    ana = Customer.objects.get(external_id="C-2001")
    assert ana.name == "Ana Adams-Hill"
    values = set(ContactPoint.objects.filter(contact__customer=ana).values_list("value", flat=True))
    assert values == {"ana@example.com", "new@example.com", "+16025550101"}
    assert ContactPoint.objects.filter(contact__customer=ana, kind="email", is_primary=True).count() == 1


def test_invoices_arrive_with_lines_and_what_was_paid_before(context: TenantContext) -> None:
    bring_in("customers", PEOPLE, context)
    job = bring_in("invoices", BILLS, context)
    assert counts(job) == (2, 0, 0, 0)
    invoice = Invoice.objects.get(number="9001")
    assert (invoice.status, invoice.total_cents, invoice.paid_elsewhere_cents) == ("partially_paid", 12800, 2800)
    assert invoice.balance_cents == 10000
    assert [line["amount_cents"] for line in invoice.lines] == [10000, 2000]
    assert invoice.bill_to.external_id == "C-2001"
    assert invoice.location_id == Location.objects.get(customer=invoice.bill_to).id
    assert Invoice.objects.get(number="9002").status == "paid"


def test_a_preview_counts_and_writes_nothing(context: TenantContext) -> None:
    customers, invoices = Customer.objects.count(), Invoice.objects.count()
    job = check(upload("customers", PEOPLE, context), context)
    assert job.state == "checked"
    assert job.checks["outcome"]["created"] == 3
    job = check(upload("invoices", BILLS, context), context)
    assert (job.checks["outcome"]["created"], job.checks["outcome"]["errors"]) == (0, 2)
    assert job.checks["outcome"]["codes"] == {"error:unknown_customer": 2}
    assert job.checks["outcome"]["columns"] == {"Customer ID": 2}
    assert (Customer.objects.count(), Invoice.objects.count()) == (customers, invoices)


def test_a_confirmed_import_waits_in_the_outbox_and_is_confirmed_once(context: TenantContext) -> None:
    job = check(upload("customers", PEOPLE, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    assert OutboxEvent.objects.filter(type="import.confirmed").count() == 1
    with pytest.raises(ImportIsNotOpen):
        confirm_import(job=job, by=OLIVE, now=NOW)
    assert [event.action for event in AuditEvent.objects.order_by("id")][-3:] == [
        "import.uploaded",
        "import.mapped",
        "import.confirmed",
    ]


def test_the_list_is_deleted_once_it_has_become_records(
    context: TenantContext, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    job = check(upload("customers", PEOPLE, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    assert (tmp_path / job.storage_key).exists()
    with django_capture_on_commit_callbacks(execute=True):
        run(job, context)
    assert not (tmp_path / job.storage_key).exists()


def test_a_batch_needs_the_same_few_queries_however_many_customers_it_holds(
    context: TenantContext, django_assert_max_num_queries: Any
) -> None:
    head = PEOPLE.splitlines(keepends=True)[0]
    rows = b"".join(b"K-%d,Person %d,p%d@example.com,(602) 555-0101,1 Elm,,,85201\n" % (n, n, n) for n in range(300))
    job = check(upload("customers", head + rows, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    with django_assert_max_num_queries(30):
        run(job, context)
    assert job.created_count == 300


def test_a_canceled_import_stores_nothing_more(context: TenantContext) -> None:
    job = check(upload("customers", PEOPLE, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    cancel_import(job=job, by=OLIVE, now=NOW)
    run(job, context)
    assert (job.state, counts(job)) == ("canceled", (0, 0, 0, 0))
    assert not Customer.objects.filter(external_id="C-2001").exists()


def test_a_lost_file_ends_the_import_with_its_reason(context: TenantContext, tmp_path: Path) -> None:
    job = check(upload("customers", PEOPLE, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    (tmp_path / job.storage_key).unlink()
    run(job, context)
    assert (job.state, job.error) == ("failed", "file_missing")


def test_a_refused_file_leaves_nothing_behind(context: TenantContext, tmp_path: Path) -> None:
    with pytest.raises(FileRefused):
        upload("customers", b"%PDF-1.7", context)
    assert TransferJob.objects.count() == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_payments_made_here_survive_a_new_import(context: TenantContext) -> None:
    bring_in("customers", PEOPLE, context)
    bring_in("invoices", BILLS, context)
    Invoice.objects.filter(number="9001").update(paid_cents=10000, status="paid")
    # The other system has not heard of it yet: nothing to do.
    assert counts(bring_in("invoices", BILLS, context)) == (0, 0, 2, 0)
    # It has: the file's amount paid contains ours and is not counted twice.
    told = BILLS.replace(b"Open,", b"Paid,").replace(b"128,28", b"128,128")
    assert counts(bring_in("invoices", told, context)) == (0, 0, 2, 0)
    invoice = Invoice.objects.get(number="9001")
    assert (invoice.paid_elsewhere_cents, invoice.paid_cents, invoice.balance_cents) == (2800, 10000, 0)
    # Another total is a matter for the office.
    other = BILLS.replace(b"Labor,2,50,100,8,128", b"Labor,2,60,120,8,148").replace(b"20,20,8,128", b"20,20,8,148")
    job = bring_in("invoices", other, context)
    assert counts(job) == (0, 0, 1, 1)
    assert job.report["codes"] == {"error:invoice_has_payments": 1}


def test_an_invoice_is_not_lowered_below_what_is_under_way(context: TenantContext) -> None:
    """F24: while a payment of it is under way its total stays; the office is told which row was left out."""
    bring_in("customers", PEOPLE, context)
    bring_in("invoices", BILLS, context)
    Invoice.objects.filter(number="9001").update(pending_cents=10000)
    lower = BILLS.replace(b"Labor,2,50,100,8,128", b"Labor,2,40,80,8,108").replace(b"20,20,8,128", b"20,20,8,108")
    job = bring_in("invoices", lower, context)
    assert job.report["codes"] == {"error:invoice_has_payments": 1}
    invoice = Invoice.objects.get(number="9001")
    assert (invoice.total_cents, invoice.pending_cents) == (12800, 10000)


def test_a_void_invoice_stays_void(context: TenantContext) -> None:
    bring_in("customers", PEOPLE, context)
    bring_in("invoices", BILLS, context)
    Invoice.objects.filter(number="9001").update(status="void", voided_at=NOW, paid_elsewhere_cents=0)
    job = bring_in("invoices", BILLS, context)
    assert job.report["codes"] == {"error:invoice_is_closed": 1}


def test_customers_are_found_by_email_and_name_unless_several_fit(context: TenantContext) -> None:
    bring_in("customers", PEOPLE + b"C-2009,Ben Brooks,other@example.com,,,,,\n", context)
    head = b"Number,Customer,Customer Email,Date,Due Date,Total\n"
    rows = (
        b"1,,ana@example.com,2026-11-01,2026-11-01,5\n"
        b"2,ANA ADAMS,,2026-11-01,2026-11-01,5\n"
        b"3,Ben Brooks,ben@example.com,2026-11-01,2026-11-01,5\n"
        b"4,Ben Brooks,,2026-11-01,2026-11-01,5\n"
        b"5,Nobody,,2026-11-01,2026-11-01,5\n"
    )
    job = bring_in("invoices", head + rows, context)
    assert job.report["codes"] == {"error:several_customers": 1, "error:unknown_customer": 1}
    billed = dict(Invoice.objects.filter(number__in="12345").values_list("number", "bill_to__external_id"))
    assert billed == {"1": "C-2001", "2": "C-2001", "3": "C-2002"}


def test_acmes_demo_files_import_completely(context: TenantContext) -> None:
    job = bring_in("customers", (DEMO / "acme-customers.csv").read_bytes(), context)
    assert (job.state, job.error_count) == ("done", 2)
    job = bring_in("invoices", (DEMO / "acme-invoices.csv").read_bytes(), context)
    assert (job.state, job.error_count, job.created_count) == ("done", 2, 1248)
    alice = Customer.objects.get(external_id="C-1001")
    assert alice.name == "Alice Archer"
    owed = Invoice.objects.filter(bill_to=alice, external_id=None, balance_cents__gt=0)
    assert sorted(owed.values_list("status", flat=True)) == ["open", "open", "partially_paid"]
