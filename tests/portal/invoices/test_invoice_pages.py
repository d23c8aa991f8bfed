"""A customer's invoices: Alice sees hers, Bob and Charlie see nothing of them (INV-01…07, AUZ-02, AUZ-12)."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfReader

from infra.ids import uuid7
from portal.access.models import PortalAccess
from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.invoices.selectors import account_figures, invoice_page, list_invoices
from tenants.config.services import write_owner_settings
from tenants.context import serving
from tenants.models import PaymentAccount
from tenants.schema.models import AuditEvent
from tenants.scope import control_scope
from tests.cast import ACME
from tests.portal.accounts.signing_in import sign_in

ALICE, BOB = "alice@example.com", "bob@example.com"


@pytest.fixture
def alice(acme: Any, acme_client: Any) -> Any:
    """Alice's browser."""
    sign_in(acme_client, ALICE)
    return acme_client


def invoice(number: str) -> Invoice:
    return Invoice.objects.get(number=number)


def pages_of(row: Invoice) -> tuple[str, str]:
    return f"/invoices/{row.pk}", f"/invoices/{row.pk}/pdf"


def add_invoice(number: str, **more: Any) -> Invoice:
    """Add one more invoice of Alice's, due in a week."""
    today = timezone.now().date()
    values = {
        "number": number,
        "bill_to": Customer.objects.get(number="C-1001"),
        "status": "open",
        "issued_on": today - timedelta(days=5),
        "due_on": today + timedelta(days=7),
        "currency": "USD",
        "lines": [{"description": f"Job {number}", "quantity": "1", "amount_cents": 5000}],
        "subtotal_cents": 5000,
        "total_cents": 5000,
        "created_at": timezone.now(),
        "updated_at": timezone.now(),
    }
    return Invoice.objects.create(**{**values, **more})


def set_owner(**values: Any) -> None:
    """Change settings as the owner would."""
    from tenants.audit import SYSTEM
    from tenants.models import Tenant

    with control_scope():
        version = Tenant.objects.get(pk=ACME).config_version
    named = {key.replace("__", "."): value for key, value in values.items()}
    write_owner_settings(tenant_id=ACME, values=named, expected_version=version, by=SYSTEM, now=timezone.now())


def test_alice_sees_her_invoices(alice: Any) -> None:
    page = alice.get("/invoices/").content.decode()
    assert "$412.50" in page
    assert "$129.00" in page
    assert "1044" not in page
    for address in pages_of(invoice("1042")):
        assert alice.get(address).status_code == 200


def test_bob_gets_the_same_404_for_hers_as_for_none(acme: Any, acme_client: Any) -> None:
    """AUZ-02: body and headers alike, random parts aside."""
    sign_in(acme_client, BOB)
    for address in pages_of(invoice("1042")):
        foreign = acme_client.get(address)
        nothing = acme_client.get(address.replace(str(invoice("1042").pk), str(uuid7())))
        assert foreign.status_code == nothing.status_code == 404
        assert _stable(foreign) == _stable(nothing)
    assert "1042" not in acme_client.get("/invoices/?show=all").content.decode()


def test_charlie_gets_404_on_his_own_host(acme: Any, globex_client: Any) -> None:
    from tenants.scope import tenant_scope
    from tests.cast import GLOBEX

    addresses = pages_of(invoice("1042"))
    with tenant_scope(GLOBEX, "t_610be8000000000000000002"):
        sign_in(globex_client, "charlie@example.com")
    assert globex_client.get("/invoices/").status_code == 200
    for address in addresses:
        assert globex_client.get(address).status_code == 404


def test_a_stranger_is_led_to_the_sign_in_page_and_back(acme: Any, acme_client: Any) -> None:
    """HOST-07, also for a PDF; existence does not show."""
    for address in (*pages_of(invoice("1042")), *pages_of(Invoice(pk=uuid7()))):
        answer = acme_client.get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in?next=%2Finvoices%2F")


def test_internal_notes_are_in_no_answer(alice: Any) -> None:
    """VIS-01, AUZ-12: the canary stands in every internal_note of the cast."""
    answers = [alice.get(address) for address in ("/", "/invoices/?show=all", *pages_of(invoice("1042")))]
    assert b"CANARY" not in b"".join(answer.content for answer in answers[:-1])
    assert "CANARY" not in text_of(answers[-1])


@pytest.mark.parametrize("hidden", [{"status": "draft"}, {"status": "void", "voided_at": timezone.now()}])
def test_drafts_and_void_invoices_are_absent(hidden: dict[str, Any], alice: Any) -> None:
    """VIS-08, datamodel.md 6.3."""
    row = add_invoice("9001", **hidden)
    assert "9001" not in alice.get("/invoices/?show=all").content.decode()
    assert [alice.get(address).status_code for address in pages_of(row)] == [404, 404]


def test_someone_without_billing_sees_no_amount(alice: Any) -> None:
    """VIS-12, AUZ-04, AUZ-13: the right is gone with the next request."""
    PortalAccess.objects.filter(portal_user__email=ALICE).update(level="non_billing")
    assert alice.get("/invoices/").status_code == 404
    assert [alice.get(address).status_code for address in pages_of(invoice("1042"))] == [404, 404]
    home = alice.get("/").content.decode()
    assert "$" not in home
    assert "1042" not in home
    assert "/invoices/" not in home


def test_a_locked_customer_is_out(alice: Any) -> None:
    Customer.objects.filter(number="C-1001").update(portal_locked=True)
    assert alice.get("/invoices/").status_code == 302


def test_a_hidden_section_is_not_there(alice: Any) -> None:
    """NAV-06, AUZ-09, VIS-16."""
    set_owner(sections__invoices="hide")
    assert alice.get("/invoices/").status_code == 404
    assert [alice.get(address).status_code for address in pages_of(invoice("1042"))] == [404, 404]
    assert "$" not in alice.get("/").content.decode()


def test_the_filter_shows_reviewed_invoices_only(alice: Any) -> None:
    """VIS-06: list, sums and page follow the same rule."""
    Invoice.objects.filter(number="1043").update(reviewed_at=timezone.now())
    set_owner(invoices__filter="reviewed")
    page = alice.get("/invoices/").content.decode()
    assert "$129.00" in page
    assert "$412.50" not in page
    assert "$541.50" not in page
    assert alice.get(pages_of(invoice("1042"))[0]).status_code == 404


def test_unpaid_invoices_come_first_and_the_most_urgent_of_them(acme: Any) -> None:
    """INV-02: overdue, due, processing, paid."""
    add_invoice("2001", pending_cents=5000, due_on=timezone.now().date() - timedelta(days=1))
    with serving(ACME, timezone.now()) as context:
        rows = list_invoices(
            Invoice.objects.filter(bill_to__number="C-1001"),
            shown="all",
            page=1,
            tenant=context.tenant,
            now=timezone.now().replace(year=2026, month=11, day=20, hour=18),
        ).rows
    assert [row.number for row in rows] == ["1042", "1043", "2001", "1031"]
    assert [row.state for row in rows] == ["overdue", "due", "processing", "paid"]


def test_an_invoice_is_overdue_from_the_companys_midnight_on(acme: Any) -> None:
    """Due dates are dates where the company is: 5 am UTC is still the evening before in Austin."""
    row = invoice("1043")
    due = date(2026, 12, 2)
    assert row.due_on == due
    with serving(ACME, timezone.now()) as context:
        evening = timezone.now().replace(year=2026, month=12, day=3, hour=5, minute=0)
        assert invoice_page(row, tenant=context.tenant, now=evening).row.state == "due"
        morning = evening.replace(hour=7)
        assert invoice_page(row, tenant=context.tenant, now=morning).row.state == "overdue"


def test_the_three_figures_add_up(acme: Any) -> None:
    """INV-03, INV-04: what is being processed is neither owed nor lost."""
    Invoice.objects.filter(number="1043").update(pending_cents=4000, reserved_cents=900)
    with serving(ACME, timezone.now()) as context:
        now = timezone.now().replace(year=2026, month=11, day=20, hour=18)
        figures = account_figures(Invoice.objects.filter(bill_to__number="C-1001"), tenant=context.tenant, now=now)
    assert (figures.owed_cents, figures.past_due_cents, figures.processing_cents) == (49250, 41250, 4900)
    assert (figures.unpaid_count, figures.paid_count, figures.paid_cents) == (2, 1, 8800)


def test_lists_take_the_same_number_of_queries_however_long(alice: Any) -> None:
    alice.get("/")  # the first request of a process also reads the settings
    counts = []
    for extra in (0, 30):
        for number in range(extra):
            add_invoice(f"N{number}")
        for address in ("/", "/invoices/?show=all"):
            with CaptureQueriesContext(connection) as queries:
                assert alice.get(address).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


def test_long_lists_have_pages(alice: Any) -> None:
    for number in range(30):
        add_invoice(f"N{number:02}")
    assert "?show=unpaid&amp;page=2" in alice.get("/invoices/").content.decode()
    assert alice.get("/invoices/?show=unpaid&page=2").content.decode().count('class="list card') == 1


def test_the_pdf_says_what_the_page_says(alice: Any) -> None:
    """INV-07, AUZ-04: every figure and line of the one is in the other."""
    add_invoice(
        "3001 #x",
        lines=[
            {
                "description": "Labor *with* $markup$ #evil",
                "quantity": "1.5",
                "amount_cents": 12345,
                "cost_cents": 77777,
            },
            {"description": "Flame sensor", "quantity": "1", "amount_cents": 3883},
        ],
        subtotal_cents=16228,
        tax_cents=917,
        total_cents=17145,
        paid_elsewhere_cents=2145,
        public_note="Parts are under warranty.",
        status="partially_paid",
    )
    row = invoice("3001 #x")
    page = alice.get(pages_of(row)[0]).content.decode()
    answer = alice.get(pages_of(row)[1])
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="invoice-3001-x.pdf"'
    text = text_of(answer)
    for figure in ("$123.45", "$38.83", "$9.17", "$171.45", "$150.00", "Flame sensor", "Parts are under warranty."):
        assert figure in page, figure
        assert figure in text, figure
    assert "1.5 × Labor *with* $markup$ #evil" in text
    assert "777.7" not in page + text
    amounts = set(re.findall(r"\$[\d,]+\.\d\d", re.sub(r"<sup>|</sup>", "", page)))
    assert set(re.findall(r"\$[\d,]+\.\d\d", text)) <= amounts
    assert PdfReader(io.BytesIO(answer.content)).metadata.title == "Invoice 3001 #x"


@pytest.mark.parametrize(
    "text", ["李小龙", "Wärme 😀", "bell\x07 and escape\x1b", "back\\u0007slash", "two\nlines", ""]
)
def test_whatever_the_office_typed_there_is_a_pdf(text: str, alice: Any) -> None:
    """INJ: signs without a glyph and control characters too."""
    line = {"description": text, "quantity": "1", "amount_cents": 5000}
    row = add_invoice("3002", lines=[line], public_note=text)
    assert "$50.00" in text_of(alice.get(pages_of(row)[1]))


def test_the_pay_button_gives_way_to_words_where_nobody_can_charge(alice: Any) -> None:
    """PLT-18, INV-12, M-12: never a dead button."""
    with control_scope():
        PaymentAccount.objects.filter(tenant_id=ACME).update(card_payments="pending")
    page = alice.get(pages_of(invoice("1042"))[0]).content.decode()
    assert "How to pay this invoice" in page
    assert "/pay" not in page
    assert "$412" in page


def test_the_first_look_is_noted_once(alice: Any) -> None:
    """A HEAD is not a look."""
    address, _pdf = pages_of(invoice("1042"))
    alice.head(address)
    assert invoice("1042").first_viewed_at is None
    alice.get(address)
    first = invoice("1042").first_viewed_at
    alice.get(address)
    assert invoice("1042").first_viewed_at == first is not None
    assert AuditEvent.objects.filter(action="invoice.viewed").count() == 1


def test_pages_with_amounts_are_kept_by_nobody(alice: Any) -> None:
    """WEB-10."""
    for address in ("/", "/invoices/", *pages_of(invoice("1042"))):
        assert alice.get(address)["Cache-Control"] == "no-store"
    assert alice.get("/invoices/x.css").status_code == 404


def text_of(answer: Any) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)


def _stable(answer: Any) -> tuple[Any, ...]:
    headers = {name: value for name, value in answer.items() if name not in ("X-Request-Id", "Content-Security-Policy")}
    return re.sub(rb'nonce="[^"]*"', b"", answer.content), tuple(sorted(headers.items()))
