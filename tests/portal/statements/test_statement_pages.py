"""A customer's statement agrees with their invoices, and only they get it (INV-10, X-19, P-13, AUZ-02)."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfReader

from infra.ids import uuid7
from portal.access.models import PortalAccess
from portal.accounts.models import PortalUser
from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.payments.models import Journal
from portal.statements.services import ASKED, LIMIT
from tenants.audit import SYSTEM
from tenants.config.services import write_owner_settings
from tenants.context import serving
from tenants.outbox import deliver_outbox
from tenants.schema.models import AuditEvent, OutboxEvent
from tests.cast import ACME
from tests.portal.accounts.signing_in import sign_in

ALICE, BOB = "alice@example.com", "bob@example.com"
ALL = "?first=2025-01-01&last=2027-12-31"


@pytest.fixture
def alice(acme: Any, acme_client: Any) -> Any:
    """Alice's browser."""
    sign_in(acme_client, ALICE)
    return acme_client


def shown(client: Any, address: str = f"/invoices/statement{ALL}") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def pay(number: str, cents: int) -> None:
    """Book money on an invoice as a payment does: counter and journal together."""
    invoice = Invoice.objects.get(number=number)
    paid = invoice.paid_cents + cents
    Invoice.objects.filter(pk=invoice.pk).update(
        paid_cents=paid, status="paid" if paid == invoice.total_cents else "partially_paid"
    )
    source = str(uuid7())
    for account, delta in (("receivable", -cents), ("stripe_clearing", cents)):
        Journal.objects.create(
            kind="payment",
            source_type="payment_intent",
            source_id=source,
            account=account,
            delta_cents=delta,
            currency="USD",
            invoice=invoice if account == "receivable" else None,
            at=timezone.now(),
        )


def test_it_closes_at_what_the_list_says_is_owed(alice: Any) -> None:
    """Any other figure would be a second truth."""
    pay("1042", 10_000)
    owed = Invoice.objects.filter(bill_to__number="C-1001", status__in=("open", "partially_paid"))
    total = owed.aggregate(sum=Sum("balance_cents"))["sum"]
    closing = alice.get(f"/invoices/statement{ALL}").context["statement"].account.closing_cents
    assert closing == total
    page = shown(alice)
    assert "Payment for invoice 1042" in page
    assert "-$100.00" in page


def test_an_invoice_that_was_written_off_is_no_longer_owed(alice: Any) -> None:
    Invoice.objects.filter(number="1042").update(status="written_off", updated_at=timezone.now())
    statement = alice.get(f"/invoices/statement{ALL}").context["statement"]
    others = Invoice.objects.filter(bill_to__number="C-1001", status__in=("open", "partially_paid"))
    assert statement.account.closing_cents == (others.aggregate(sum=Sum("balance_cents"))["sum"] or 0)
    assert "Invoice 1042 closed by us" in shown(alice)


def test_void_invoices_and_drafts_never_appear(alice: Any) -> None:
    """VIS-08."""
    Invoice.objects.filter(number="1042").update(status="void", voided_at=timezone.now())
    assert "1042" not in shown(alice)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?first=2026-05-02&last=2026-05-01", "This day is before the first one."),
        ("?first=2020-01-01&last=2026-05-01", "A statement covers three years at most."),
        ("?first=yesterday&last=2026-05-01", "valid date"),
        ("?first=2026-05-01", "required"),
        ("?first=0001-01-01&last=9999-12-31", "A statement covers three years at most."),
    ],
)
def test_a_period_that_makes_no_sense_is_said_beside_its_field(alice: Any, query: str, words: str) -> None:
    answer = alice.get(f"/invoices/statement{query}")
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert alice.get(f"/invoices/statement/pdf{query}").status_code == 404


def test_bob_sees_his_own_and_a_person_without_billing_sees_none(acme: Any, acme_client: Any) -> None:
    sign_in(acme_client, BOB)
    page = shown(acme_client)
    assert "1042" not in page
    assert "Alice" not in page
    PortalAccess.objects.filter(portal_user__email=BOB).update(level="non_billing")
    for address in (f"/invoices/statement{ALL}", f"/invoices/statement/pdf{ALL}"):
        assert acme_client.get(address).status_code == 404
    assert (
        acme_client.post("/invoices/statement/mail", {"first": "2026-01-01", "last": "2026-02-01"}).status_code == 404
    )


def test_a_stranger_is_asked_to_sign_in(acme: Any, acme_client: Any) -> None:
    assert acme_client.get("/invoices/statement")["Location"].startswith("/sign-in")


def test_the_pdf_shows_the_same_figures(alice: Any) -> None:
    statement = alice.get(f"/invoices/statement{ALL}").context["statement"]
    answer = alice.get(f"/invoices/statement/pdf{ALL}")
    assert answer["Content-Disposition"] == 'attachment; filename="statement-20250101-20271231.pdf"'
    reader = PdfReader(io.BytesIO(answer.content))
    text = re.sub(r"\s+", " ", "".join(page.extract_text() for page in reader.pages))
    assert "Alice Archer" in text
    assert f"{statement.account.closing_cents / 100:,.2f}" in text
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def deliver() -> None:
    with serving(ACME, timezone.now()) as context:
        deliver_outbox(context=context)


def test_it_is_mailed_to_the_persons_own_address_with_the_file(alice: Any) -> None:
    answer = alice.post("/invoices/statement/mail", {"first": "2026-09-01", "last": "2026-11-30"}, follow=True)
    assert "The statement is on its way to alice@example.com." in answer.content.decode()
    deliver()
    deliver()
    [message] = mail.outbox
    assert message.to == [ALICE]
    [(name, content, kind)] = message.attachments
    assert (name, kind) == ("statement-20260901-20261130.pdf", "application/pdf")
    assert content.startswith(b"%PDF")
    assert AuditEvent.objects.filter(action=ASKED).count() == 1


def test_nothing_is_mailed_when_the_access_has_ended_meanwhile(alice: Any) -> None:
    """AUZ-13: what is mailed is decided when it is mailed."""
    alice.post("/invoices/statement/mail", {"first": "2026-09-01", "last": "2026-11-30"})
    PortalAccess.objects.filter(portal_user=PortalUser.objects.get(email=ALICE)).update(status="suspended")
    deliver()
    assert mail.outbox == []


def test_an_impatient_reader_gets_five_an_hour(alice: Any) -> None:
    values = {"first": "2026-09-01", "last": "2026-11-30"}
    statuses = [alice.post("/invoices/statement/mail", values).status_code for _ in range(LIMIT + 1)]
    assert statuses == [302] * LIMIT + [429]
    assert OutboxEvent.objects.filter(type=ASKED).count() == LIMIT


def test_a_hidden_section_has_no_statement(alice: Any) -> None:
    """NAV-06."""
    with serving(ACME, timezone.now()) as context:
        version = context.tenant.config_version
    values = {"sections.invoices": "hide"}
    write_owner_settings(tenant_id=ACME, values=values, expected_version=version, by=SYSTEM, now=timezone.now())
    assert alice.get("/invoices/statement").status_code == 404


def test_a_thousand_invoices_take_as_many_queries_as_one(alice: Any) -> None:
    today = timezone.now().date()
    alices = Customer.objects.get(number="C-1001")
    Invoice.objects.bulk_create(
        Invoice(
            number=f"M-{n}",
            bill_to=alices,
            status="open",
            issued_on=today - timedelta(days=n % 300),
            due_on=today,
            currency="USD",
            subtotal_cents=100,
            total_cents=100,
            reviewed_at=timezone.now(),
            exported_at=timezone.now(),
            created_at=timezone.now(),
            updated_at=timezone.now(),
        )
        for n in range(1_000)
    )
    shown(alice)
    with CaptureQueriesContext(connection) as many:
        assert "M-999" in shown(alice)
    Invoice.objects.filter(number__startswith="M-").delete()
    with CaptureQueriesContext(connection) as few:
        shown(alice)
    assert len(many) == len(few)
