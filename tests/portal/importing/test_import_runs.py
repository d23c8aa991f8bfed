"""Lists become records: in batches, resumable, and the second time nothing new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from portal.customers.models import Contact, ContactPoint, Customer, Location
from portal.importing import pipeline, tasks
from portal.importing.mapping import Mapping
from portal.importing.models import TransferJob
from portal.importing.refusals import FileRefused
from portal.importing.services import check_import
from portal.importing.services.check_import import request_check
from portal.importing.services.confirm_import import cancel_import, confirm_import
from portal.importing.services.run_import import run_import
from portal.importing.services.save_mapping import ImportIsNotOpen, save_mapping
from portal.importing.services.start_import import start_import
from portal.invoices.models import Invoice
from tenants.audit import Actor
from tenants.context import TenantContext, prove_tenant
from tenants.schema.models import AuditEvent, OutboxEvent
from tests.cast import ACME

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
OLIVE = Actor("staff", None, "Olive Owens")
DEMO = Path(__file__).parents[3] / "demo"

PEOPLE = (
    b"Customer ID,Name,Email,Phone,Billing Street,City,State,Zip\n"
    b"C-2001,Ana Adams,ana@example.com,(602) 555-0101,1 Elm St,Mesa,AZ,85201\n"
    b"C-2002,Ben Brooks,ben@example.com,,2 Elm St,Mesa,AZ,85201\n"
    b"77,Carla Cole,,602-555-0103,,,,\n"
)
BILLS = (
    b"Invoice #,Customer ID,Invoice Date,Due Date,Status,Description,Qty,Rate,Amount,Tax,Total,Amount Paid\n"
    b"9001,C-2001,2026-11-01,2026-12-01,Open,Labor,2,50,100,8,128,28\n"
    b"9001,C-2001,2026-11-01,2026-12-01,Open,Parts,1,20,20,8,128,28\n"
    b"9002,C-2002,2026-10-01,2026-10-31,Paid,Visit,1,89,89,0,89,89\n"
)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def context(acme: Any) -> TenantContext:
    return prove_tenant(ACME, NOW)


def upload(kind: Any, data: bytes, context: TenantContext) -> TransferJob:
    return start_import(kind=kind, file_name="list.csv", chunks=[data], context=context, by=OLIVE, now=NOW)


def check(job: TransferJob, context: TenantContext) -> TransferJob:
    save_mapping(job=job, mapping=Mapping.from_json(job.mapping), by=OLIVE, now=NOW)
    return request_check(job=job, context=context, now=NOW)


def run(job: TransferJob, context: TenantContext) -> TransferJob:
    run_import(job_id=job.pk, context=context, clock=lambda: NOW)
    job.refresh_from_db()
    return job


def bring_in(kind: Any, data: bytes, context: TenantContext) -> TransferJob:
    job = check(upload(kind, data, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    return run(job, context)


def counts(job: TransferJob) -> tuple[int, int, int, int]:
    return job.created_count, job.updated_count, job.unchanged_count, job.error_count


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


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, nothing after it runs."""


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 10)


@pytest.mark.parametrize("kill_at", [1, 2, 3])
def test_a_killed_import_goes_on_where_it_was_and_repeats_nothing(
    context: TenantContext, small_batches: None, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    """R-TASK: each batch is one transaction with its own progress."""
    rows = b"".join(b"K-%d,Person %d,p%d@example.com,,,,,\n" % (n, n, n) for n in range(35))
    job = check(upload("customers", PEOPLE.splitlines(keepends=True)[0] + rows, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    calls = 0
    store = pipeline.Pipeline.store

    def store_and_die(self: Any, batch: Any, *, now: datetime, dry_run: bool) -> Any:
        nonlocal calls
        outcome = store(self, batch, now=now, dry_run=dry_run)
        calls += 1
        if calls == kill_at:
            raise Killed
        return outcome

    monkeypatch.setattr(pipeline.Pipeline, "store", store_and_die)
    with pytest.raises(Killed):
        run(job, context)
    job.refresh_from_db()
    assert (job.state, job.next_row) == ("running", (kill_at - 1) * 10)
    assert Customer.objects.filter(external_id__startswith="K-").count() == (kill_at - 1) * 10
    monkeypatch.setattr(pipeline.Pipeline, "store", store)
    run(job, context)
    assert (job.state, job.next_row, counts(job)) == ("done", 35, (35, 0, 0, 0))
    assert Customer.objects.filter(external_id__startswith="K-").count() == 35


def test_a_second_runner_of_the_same_job_stops_at_once(context: TenantContext) -> None:
    job = bring_in("customers", PEOPLE, context)
    run(job, context)
    assert (job.state, job.starts, counts(job)) == ("done", 1, (3, 0, 0, 0))


def events(kind: str) -> list[OutboxEvent]:
    return list(OutboxEvent.objects.filter(type=kind).order_by("created_at"))


def test_an_import_that_goes_silent_is_asked_for_again_until_it_ends(
    context: TenantContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-TASK-1: the broker may lose every message; the outbox still leads to the end."""
    asked: list[str] = []
    monkeypatch.setattr(tasks.import_file, "hint_for", lambda tenant, *, job: asked.append(job))
    job = check(upload("customers", PEOPLE, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    tasks.start_work(context, events("import.confirmed")[0])
    assert asked == [str(job.pk)]
    watch = events("import.watch")[-1]
    assert watch.next_at > timezone.now()
    # Still alive: nobody is asked, but the watch goes on.
    TransferJob.objects.filter(pk=job.pk).update(state="running", heartbeat_at=timezone.now())
    tasks.watch_work(context, watch)
    assert len(asked) == 1
    # Silent for longer than a batch may take: asked again.
    TransferJob.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=2))
    tasks.watch_work(context, events("import.watch")[-1])
    assert len(asked) == 2
    run(job, context)
    tasks.watch_work(context, events("import.watch")[-1])
    assert (len(asked), len(events("import.watch"))) == (2, 3)


def test_a_large_file_is_checked_in_the_background_and_watched(
    context: TenantContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_import, "ROWS_AT_ONCE", 1)
    asked: list[str] = []
    monkeypatch.setattr(tasks.check_file, "hint_for", lambda tenant, *, job: asked.append(job))
    job = check(upload("customers", PEOPLE, context), context)
    assert job.state == "checking"
    tasks.start_work(context, events("import.check")[0])
    assert asked == [str(job.pk)]
    tasks.check_file(context=context, job=str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.checks["outcome"]["created"]) == ("checked", 3)
    tasks.watch_work(context, events("import.watch")[0])
    assert len(events("import.watch")) == 1


def test_the_list_is_deleted_once_it_has_become_records(
    context: TenantContext, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    job = check(upload("customers", PEOPLE, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    assert (tmp_path / job.storage_key).exists()
    with django_capture_on_commit_callbacks(execute=True):
        run(job, context)
    assert not (tmp_path / job.storage_key).exists()


def test_an_import_that_never_ends_is_given_up(context: TenantContext) -> None:
    job = check(upload("customers", PEOPLE, context), context)
    confirm_import(job=job, by=OLIVE, now=NOW)
    TransferJob.objects.filter(pk=job.pk).update(starts=check_import.MAX_STARTS)
    run(job, context)
    assert (job.state, job.error) == ("failed", "too_many_starts")


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
