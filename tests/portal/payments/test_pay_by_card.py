"""Paying one invoice by card in full, through the services and the real double."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core import mail

from infra.stripe_client import tenant_stripe
from portal.invoices.models import Invoice
from portal.payments import errors
from portal.payments.models import Journal, PaymentAttempt
from portal.payments.services.settle import settle_attempt
from tenants.models import Plan
from tenants.schema.models import AuditEvent
from tenants.scope import control_scope
from tests.parallel import in_parallel

from .bench import Bench, later

State = PaymentAttempt.State


def test_a_card_pays_an_invoice_in_full(bench: Bench) -> None:
    """The whole way: attempt, intent, payment, journal, invoice, audit, receipt (PAY-03, PAY-15)."""
    attempt = bench.pay("1042").attempt
    assert attempt.state == State.SUCCEEDED
    invoice = bench.invoice("1042")
    assert (invoice.status, invoice.paid_cents, invoice.balance_cents) == ("paid", 41250, 0)
    (payment,) = bench.payments()
    assert (payment.receipt_no, payment.received_cents, payment.status) == ("R-1101", 41250, "succeeded")
    assert payment.method["last4"] == "4242"
    with bench.acme():
        legs = Journal.objects.filter(kind="payment").values_list("account", "delta_cents", "invoice__number")
        assert sorted(legs, key=repr) == [("receivable", -41250, "1042"), ("stripe_clearing", 41250, None)]
        assert set(AuditEvent.objects.values_list("action", flat=True)) >= {"payment.submitted", "payment.succeeded"}
    (intent,) = bench.intents()
    assert intent.metadata.to_dict()["attempt"] == str(attempt.pk)
    assert bench.charged() == 41250


def test_the_receipt_is_mailed_once_in_words(bench: Bench) -> None:
    """F9, PAY-22."""
    bench.pay("1042")
    bench.deliver_mail()
    bench.deliver_mail()
    (receipt,) = mail.outbox
    assert receipt.to == ["alice@example.com"]
    assert receipt.subject == "Receipt R-1101: $412.50 paid"
    for fact in ("R-1101", "Invoice 1042", "$412.50", "Visa ending 4242", "Still open: $0.00"):
        assert fact in receipt.body


def test_a_declined_card_charges_nothing_and_another_card_pays(bench: Bench) -> None:
    """F8: new attempt, new key; the old key would replay the decline."""
    declined = bench.pay("1042", method="pm_card_chargeDeclinedInsufficientFunds").attempt
    assert (declined.state, declined.decline_code) == (State.FAILED, "insufficient_funds")
    assert bench.invoice().reserved_cents == 0
    assert bench.charged() == 0
    paid = bench.pay("1042").attempt
    assert paid.state == State.SUCCEEDED
    assert paid.pk != declined.pk
    assert bench.charged() == 41250


def test_eight_submits_of_one_form_are_one_payment(bench: Bench) -> None:
    """F5, PAY-04: double click, two tabs with the same page, back button."""
    token, key = bench.token(), uuid4()
    seen = bench.invoice().balance_cents
    results = in_parallel(8, lambda: bench.pay("1042", token=token, form_key=key, seen=seen))
    assert [result for result in results if isinstance(result, Exception)] == []
    assert {result.attempt.pk for result in results} == {results[0].attempt.pk}
    assert len(bench.intents()) == 1
    assert bench.charged() == 41250
    again = bench.pay("1042", token=token, form_key=key, seen=seen)
    assert again.attempt.state == State.SUCCEEDED
    assert len(bench.payments()) == 1


def test_of_two_payers_of_one_invoice_one_pays(bench: Bench) -> None:
    """F6: the other is refused before Stripe is asked."""
    tokens = iter([bench.token(), bench.token()])
    results = in_parallel(2, lambda: bench.pay("1042", token=next(tokens), seen=41250))
    refused = [result for result in results if isinstance(result, errors.PaymentRefused)]
    assert len(refused) == 1
    assert isinstance(refused[0], errors.SomebodyIsPaying | errors.NotPayable)
    assert len(bench.intents()) == 1
    assert bench.charged() == 41250


def test_a_payment_under_way_holds_the_invoice(bench: Bench) -> None:
    """F6: the reservation of somebody else says since when."""
    bench.break_api("timeout_after", times=3, seconds=0.01)
    first = bench.pay("1042").attempt
    assert first.state == State.UNKNOWN
    with pytest.raises(errors.SomebodyIsPaying) as caught:
        bench.pay("1042", seen=41250, user="bob@example.com")
    assert caught.value.started_at == first.created_at


def test_a_changed_amount_is_refused_and_named(bench: Bench) -> None:
    """PAY-03: what the browser says is compared, never used."""
    with pytest.raises(errors.AmountChanged) as caught:
        bench.pay("1042", seen=100)
    assert caught.value.payable_cents == 41250
    assert bench.intents() == []
    assert bench.invoice().reserved_cents == 0


def test_a_paid_a_void_and_a_tiny_invoice_are_refused(bench: Bench) -> None:
    with pytest.raises(errors.NotPayable):
        bench.pay("1031", seen=8800)
    with bench.acme():
        Invoice.objects.filter(number="1043").update(total_cents=49)
    with pytest.raises(errors.AmountOutOfRange):
        bench.pay("1043", seen=49)
    assert bench.intents() == []


def test_a_form_key_is_good_for_its_own_invoice_and_person_only(bench: Bench) -> None:
    key = uuid4()
    bench.pay("1042", form_key=key)
    with pytest.raises(errors.FormReused):
        bench.pay("1043", form_key=key)
    with pytest.raises(errors.FormReused):
        bench.pay("1042", form_key=key, user="bob@example.com", seen=41250)


def test_the_platform_takes_its_part_in_basis_points(bench: Bench) -> None:
    """PAY-03: computed from the plan; without a part the parameter is left out."""
    bench.pay("1043")
    with control_scope():
        Plan.objects.filter(code="porch").update(application_fee_bps=100)
    bench.pay("1042")
    by_amount = {intent.amount: intent.application_fee_amount for intent in bench.intents()}
    assert by_amount == {12900: None, 41250: 413}


def test_a_customer_exists_once_at_stripe(bench: Bench) -> None:
    in_parallel(4, lambda: bench.pay("1042", seen=41250))
    bench.pay("1043")
    customers = tenant_stripe(bench.account).v1.customers.list({}).data
    assert [customer.name for customer in customers] == ["Alice Archer"]


def test_a_company_that_cannot_take_cards_refuses_before_stripe(bench: Bench) -> None:
    """F22, PLT-18."""
    from tenants.models import PaymentAccount

    token = bench.token()
    with control_scope():
        PaymentAccount.objects.filter(account_id=bench.account).update(card_payments="inactive")
    with pytest.raises(errors.PaymentsOff):
        bench.pay("1042", token=token)
    assert bench.intents() == []


def test_the_next_card_after_six_declines_has_to_wait(bench: Bench) -> None:
    """PAY-19: card testing."""
    for _ in range(6):
        bench.pay("1042", method="pm_card_chargeDeclined")
    with pytest.raises(errors.TooManyDeclines):
        bench.pay("1042")
    assert bench.pay("1042", now=later(minutes=11)).attempt.state == State.SUCCEEDED


def test_the_bank_asks_and_the_payer_passes(bench: Bench) -> None:
    attempt = bench.pay("1042", method="pm_card_threeDSecure2Required").attempt
    assert attempt.state == State.REQUIRES_ACTION
    assert bench.invoice().reserved_cents == 41250
    with bench.acme() as context:
        waiting = settle_attempt(context=context, attempt_id=attempt.pk, now=later())
        assert waiting.client_secret
    bench.as_bank(attempt, passed=True)
    with bench.acme() as context:
        assert settle_attempt(context=context, attempt_id=attempt.pk, now=later()).attempt.state == State.SUCCEEDED
    assert bench.invoice().status == "paid"


def test_the_bank_asks_and_the_payer_fails(bench: Bench) -> None:
    """The intent whose secret the browser knows is canceled before its money is freed."""
    attempt = bench.pay("1042", method="pm_card_threeDSecure2Required").attempt
    bench.as_bank(attempt, passed=False)
    with bench.acme() as context:
        ended = settle_attempt(context=context, attempt_id=attempt.pk, now=later()).attempt
    assert (ended.state, ended.failure_code) == (State.FAILED, "payment_intent_authentication_failure")
    assert [intent.status for intent in bench.intents()] == ["canceled"]
    assert bench.invoice().reserved_cents == 0


def test_the_same_person_may_start_over_at_the_banks_page(bench: Bench) -> None:
    """What they left behind is canceled at Stripe first: two charges are impossible."""
    first = bench.pay("1042", method="pm_card_threeDSecure2Required").attempt
    second = bench.pay("1042", seen=41250).attempt
    assert second.state == State.SUCCEEDED
    assert bench.attempt(first.pk).state == State.EXPIRED
    assert sorted(intent.status for intent in bench.intents()) == ["canceled", "succeeded"]
    assert bench.charged() == 41250
