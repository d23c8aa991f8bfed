"""A bank debit is under way for days: what becomes of its money when the invoice has changed meanwhile (F24)."""

from __future__ import annotations

from django.core import mail
from django.utils import timezone

from portal.invoices.models import Invoice
from portal.payments.models import Credit, Journal, PaymentAttempt
from portal.payments.services.settle import settle_attempt

from .bench import Bench, later
from .test_parts_and_several import ANY
from .test_recording import receive


def days_later(bench: Bench) -> None:
    """Let the bank answer, and look at what it said, as an event asks for."""
    bench.control("advance", days=4)
    with bench.acme() as context:
        for attempt in PaymentAttempt.objects.filter(state="processing"):
            settle_attempt(context=context, attempt_id=attempt.pk, now=later())


def withdraw(bench: Bench) -> None:
    """Take the invoice back, as nothing in the product does while money is on its way to it."""
    with bench.acme():
        Invoice.objects.filter(number="1042").update(status="void", voided_at=timezone.now())


def credits_of(bench: Bench) -> list[tuple[int, int]]:
    with bench.acme():
        return list(Credit.objects.order_by("pk").values_list("amount_cents", "remaining_cents"))


def test_money_for_an_invoice_that_was_withdrawn_meanwhile_is_the_customers_credit(bench: Bench) -> None:
    """F24: a fact is stored whatever became of the invoice; none of it is lost and none of it is on a void invoice."""
    bench.pay("1042", method="pm_usBankAccount_success")
    withdraw(bench)
    days_later(bench)
    invoice = bench.invoice()
    assert (invoice.status, invoice.paid_cents, invoice.pending_cents) == ("void", 0, 0)
    (payment,) = bench.payments()
    assert (payment.status, payment.received_cents, payment.allocated_cents) == ("succeeded", 41250, 0)
    assert credits_of(bench) == [(41250, 41250)]
    with bench.acme():
        legs = Journal.objects.filter(kind="payment").values_list("account", "delta_cents", "invoice__number")
        assert sorted(legs, key=repr) == [("credit", -41250, None), ("stripe_clearing", 41250, None)]
    bench.deliver_mail()
    assert [m for m in mail.outbox if m.to == ["alice@example.com"] and str(m.subject).startswith("Receipt")]
    refunded = bench.refund()
    assert (refunded.amount_cents, credits_of(bench)) == (41250, [(41250, 0)])


def test_a_debit_that_fails_after_its_invoice_was_withdrawn_leaves_nothing(bench: Bench) -> None:
    """F16, F24."""
    bench.pay("1042", method="pm_usBankAccount_insufficientFunds")
    withdraw(bench)
    days_later(bench)
    invoice = bench.invoice()
    assert (invoice.status, invoice.paid_cents, invoice.pending_cents) == ("void", 0, 0)
    assert [payment.status for payment in bench.payments()] == ["failed"]
    assert credits_of(bench) == []


def test_cash_that_comes_while_a_debit_is_under_way_is_the_credit_and_the_debit_pays(bench: Bench) -> None:
    """F24: what is under way holds its part of the invoice; whoever comes after it has too much."""
    bench.pay("1042", method="pm_usBankAccount_success")
    receive(bench, 41250, "1042", keep_rest=True, how="cash")
    assert credits_of(bench) == [(41250, 41250)]
    days_later(bench)
    invoice = bench.invoice()
    assert (invoice.status, invoice.paid_cents, invoice.pending_cents) == ("paid", 41250, 0)
    assert credits_of(bench) == [(41250, 41250)]


def test_of_several_invoices_the_withdrawn_ones_part_alone_is_credit(bench: Bench) -> None:
    """F24."""
    bench.pay("1042", "1043", method="pm_usBankAccount_success", rules=ANY)
    withdraw(bench)
    days_later(bench)
    assert bench.invoice("1043").status == "paid"
    assert bench.invoice("1042").pending_cents == 0
    assert credits_of(bench) == [(41250, 41250)]
