"""Payments that the office writes down by hand, and takes out again when they were a mistake."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.utils import timezone

from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.payments import errors
from portal.payments.models import Journal, Payment
from portal.payments.services.recording import Recorded, record_payment, reverse_payment
from tenants.audit import Actor
from tenants.schema.models import AuditEvent
from tests.parallel import in_parallel

from .bench import Bench, later
from .test_office_refunds import office

OLIVE = Actor("staff", None, "Olive Owens")


def receive(bench: Bench, amount: int, *numbers: str, **more: Any) -> Payment:
    """Record a check of Alice's for these invoices."""
    with bench.acme() as context:
        given = {"form_key": uuid4(), "how": "check", "reference": "1007", **more}
        return record_payment(
            customer_id=Customer.objects.get(number="C-1001").pk,
            invoice_ids=list(Invoice.objects.filter(number__in=numbers).values_list("pk", flat=True)),
            recorded=Recorded(amount_cents=amount, received_on=timezone.localdate(), **given),
            currency="USD",
            zone=context.tenant.zone,
            by=OLIVE,
            now=later(),
        )


def test_a_check_pays_an_invoice_and_lies_in_the_companys_own_hands(bench: Bench) -> None:
    """Journal against cash, never against Stripe; receipt number, audit, receipt by mail."""
    payment = receive(bench, 41250, "1042")
    assert (payment.status, payment.receipt_no, payment.allocated_cents) == ("succeeded", "R-1101", 41250)
    assert bench.invoice().status == "paid"
    with bench.acme():
        legs = Journal.objects.values_list("account", "delta_cents", "invoice__number")
        assert sorted(legs, key=repr) == [("cash", 41250, None), ("receivable", -41250, "1042")]
        assert AuditEvent.objects.get(action="payment.recorded").actor_label == "Olive Owens"
    assert bench.requests_to("/v1/payment_intents") == []
    bench.deliver_mail()
    (receipt,) = mail.outbox
    assert receipt.to == ["alice@example.com"]
    assert "Check 1007" in receipt.body


def test_money_is_spread_over_the_oldest_invoice_first(bench: Bench) -> None:
    receive(bench, 45000, "1042", "1043")
    assert bench.invoice("1042").status == "paid"
    assert (bench.invoice("1043").status, bench.invoice("1043").paid_cents) == ("partially_paid", 3750)


def test_too_much_is_refused_unless_the_office_wants_credit(bench: Bench) -> None:
    """datamodel.md 7.2."""
    with pytest.raises(errors.AmountChanged):
        receive(bench, 50000, "1042")
    assert bench.payments() == []
    payment = receive(bench, 50000, "1042", keep_rest=True)
    with bench.acme():
        assert payment.credits.get().remaining_cents == 8750


def test_an_invoice_that_is_being_paid_online_takes_no_second_money(bench: Bench) -> None:
    """datamodel.md 7.2: what an open attempt holds is not paid twice; said so, it becomes credit."""
    bench.pay("1042", method="pm_card_threeDSecure2Required")
    with pytest.raises(errors.AmountChanged):
        receive(bench, 41250, "1042")
    payment = receive(bench, 41250, "1042", keep_rest=True)
    with bench.acme():
        assert payment.credits.get().remaining_cents == 41250


def test_the_same_form_is_one_payment(bench: Bench) -> None:
    key = uuid4()
    results = in_parallel(5, lambda: receive(bench, 10000, "1042", form_key=key))
    assert {result.pk for result in results} == {results[0].pk}
    with pytest.raises(errors.FormReused):
        receive(bench, 20000, "1042", form_key=key)
    assert bench.invoice().paid_cents == 10000


def test_another_customers_invoice_is_refused(bench: Bench) -> None:
    with pytest.raises(errors.NotPayable):
        receive(bench, 41250, "1044")


def test_a_mistake_is_taken_out_by_a_row_of_its_own(bench: Bench) -> None:
    """Nothing is deleted: payment, allocation and journal stay, with what undoes them beside them."""
    payment = receive(bench, 50000, "1042", keep_rest=True)
    with bench.acme():
        reversed_ = reverse_payment(payment_id=payment.pk, note="wrong customer", by=OLIVE, now=later())
        with pytest.raises(errors.NothingToRefund):
            reverse_payment(payment_id=payment.pk, note="again", by=OLIVE, now=later())
        assert reversed_.status == "reversed"
        assert reversed_.credits.get().remaining_cents == 0
        assert sum(Journal.objects.filter(account="cash").values_list("delta_cents", flat=True)) == 0
        assert Journal.objects.filter(kind="payment").count() == 3
        assert AuditEvent.objects.get(action="payment.reversed").after == {
            "amount_cents": 50000,
            "note": "wrong customer",
        }
    assert bench.invoice().status == "open"


def test_a_payment_through_stripe_cannot_be_taken_out(bench: Bench) -> None:
    """Its money is with Stripe: only a refund moves it."""
    bench.pay("1042")
    with bench.acme(), pytest.raises(errors.NothingToRefund):
        reverse_payment(payment_id=Payment.objects.get().pk, note="x", by=OLIVE, now=later())


def test_cash_is_refunded_by_hand(bench: Bench) -> None:
    """Stripe is not asked; the books say that it was handed back."""
    payment = receive(bench, 41250, "1042", how="cash", reference="")
    refund = bench.refund(10000, payment=payment)
    assert refund.state == "succeeded"
    assert bench.requests_to("/v1/refunds") == []
    assert bench.invoice().balance_cents == 10000
    with bench.acme():
        assert Journal.objects.get(kind="refund", account="cash").delta_cents == -10000


def fields(bench: Bench, **changes: Any) -> dict[str, Any]:
    """Return what the form sends for invoice 1042."""
    today = timezone.now().astimezone(timezone.get_default_timezone()).date() - timedelta(days=1)
    return {
        "form_key": str(uuid4()),
        "amount": "412.50",
        "how": "check",
        "reference": "1007",
        "received_on": today.isoformat(),
        "invoices": [str(bench.invoice().pk)],
        "mail_receipt": "on",
        "note": "in the blue folder",
        **changes,
    }


def alice_url(bench: Bench) -> str:
    """Return where a payment of Alice's is recorded."""
    with bench.acme():
        return f"/office/payments/record/{Customer.objects.get(number='C-1001').pk}"


def test_the_office_records_and_takes_out(bench: Bench) -> None:
    browser, url = office(bench), alice_url(bench)
    html = browser.get(url).content.decode()
    assert 'value="541.50"' in html
    assert "Invoice 1042 · $412.50 open" in html
    where = browser.post(url, fields(bench))["Location"]
    html = browser.get(where).content.decode()
    for shown in ("Check 1007", "in the blue folder", "R-1101", "Recorded by mistake…"):
        assert shown in html
    assert "in the blue folder" not in bench.browser().get(f"/invoices/{bench.invoice().pk}").content.decode()
    assert "Check 1007" in bench.browser().get(f"/invoices/{bench.invoice().pk}").content.decode()
    assert browser.post(f"{where}/reverse", {"note": ""}).status_code == 422
    assert browser.post(f"{where}/reverse", {"note": "typed twice"})["Location"] == where
    html = browser.get(where).content.decode()
    assert "Taken out" in html
    assert "typed twice" in html
    assert bench.invoice().status == "open"


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "500"},
        {"amount": "-5"},
        {"amount": "0"},
        {"amount": "zehn"},
        {"amount": "10000000"},
        {"received_on": "2999-01-01"},
        {"received_on": "1026-11-20"},
        {"how": "barter"},
        {"invoices": [str(UUID(int=5))]},
        {"form_key": "1"},
    ],
)
def test_what_makes_no_sense_is_explained_and_not_recorded(bench: Bench, wrong: dict[str, Any]) -> None:
    answer = office(bench).post(alice_url(bench), fields(bench, **wrong))
    assert answer.status_code == 422
    assert bench.payments() == []


@pytest.mark.parametrize("role", ["csr", "dispatcher", "technician", "read_only"])
def test_only_who_manages_invoices_records_payments(bench: Bench, role: str) -> None:
    """datamodel.md 6.5."""
    payment = receive(bench, 41250, "1042")
    browser = office(bench, role)
    assert browser.post(alice_url(bench), fields(bench)).status_code == 403
    assert browser.post(f"/office/payments/received/{payment.pk}/reverse", {"note": "x"}).status_code == 403
    assert len(bench.payments()) == 1
