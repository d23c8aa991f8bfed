"""What must hold at Stripe and at the double alike: one function for each way a payment goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.stripe_client import tenant_stripe
from portal.payments.models import PaymentAttempt, Refund
from portal.payments.services.settle import abandon_attempt, settle_attempt
from tests.portal.methods.keeping import keep, methods
from tests.portal.payments.bench import Bench, later

State = PaymentAttempt.State


def a_card_pays(bench: Bench) -> None:
    """The invoice is paid, once, by what the card form hands over."""
    attempt = bench.pay("1042").attempt
    assert attempt.state == State.SUCCEEDED
    assert bench.invoice().status == "paid"
    intent = tenant_stripe(bench.account).v1.payment_intents.retrieve(str(attempt.stripe_pi_id))
    assert (intent.status, intent.amount_received) == ("succeeded", attempt.amount_cents)


def the_same_form_sent_twice_is_one_payment(bench: Bench) -> None:
    """F5: the form's key decides, and the attempt's id is the key at Stripe."""
    first = bench.pay("1042").attempt
    second = bench.pay("1042", form_key=first.form_key, seen=first.amount_cents).attempt
    assert second.pk == first.pk
    assert len(bench.payments()) == 1


def a_declined_card_leaves_everything_as_it_was(bench: Bench) -> None:
    """F8: another card is another attempt, and pays."""
    attempt = bench.pay("1042", method="pm_card_chargeDeclinedInsufficientFunds").attempt
    assert (attempt.state, attempt.decline_code) == (State.FAILED, "insufficient_funds")
    assert bench.invoice().reserved_cents == 0
    assert bench.pay("1042").attempt.state == State.SUCCEEDED


def the_bank_asks_and_nobody_answers(bench: Bench) -> None:
    """F14: the intent is canceled before the reservation ends."""
    attempt = bench.pay("1042", method="pm_card_authenticationRequired").attempt
    assert attempt.state == State.REQUIRES_ACTION
    with bench.acme() as context:
        settled = settle_attempt(context=context, attempt_id=attempt.pk, now=later())
        assert settled.client_secret
        ended = abandon_attempt(context=context, attempt_id=settled.attempt.pk, now=later())
    assert ended.state == State.EXPIRED
    assert bench.invoice().reserved_cents == 0
    intent = tenant_stripe(bench.account).v1.payment_intents.retrieve(str(settled.attempt.stripe_pi_id))
    assert intent.status == "canceled"


def a_part_goes_back(bench: Bench) -> None:
    """PAY-16: a refund of a part reopens as much of the invoice."""
    bench.pay("1042")
    refund = bench.refund(10_000)
    assert refund.state in (Refund.State.PENDING, Refund.State.SUCCEEDED)
    assert bench.invoice().balance_cents == 10_000


def a_bank_debit_is_on_its_way_and_not_paid(bench: Bench) -> None:
    """PAY-13: processing is not paid, and nobody can pay the same money again."""
    row = keep(bench, "pm_usBankAccount_success").row
    assert [method.kind for method in methods(bench)] == ["us_bank_account"]
    attempt = pay_on_file(bench, row.pk)
    assert attempt.state == State.PROCESSING
    invoice = bench.invoice()
    assert (invoice.paid_cents, invoice.pending_cents) == (0, attempt.amount_cents)
    with bench.acme() as context:
        again = settle_attempt(context=context, attempt_id=attempt.pk, now=later()).attempt
    assert again.state in (State.PROCESSING, State.SUCCEEDED)


def pay_on_file(bench: Bench, method_id: Any) -> PaymentAttempt:
    """Pay invoice 1042 with a method on file."""
    from tests.portal.methods.test_paying_on_file import pay_with

    return pay_with(bench, method_id).attempt


SCENARIOS: tuple[Callable[[Bench], None], ...] = (
    a_card_pays,
    the_same_form_sent_twice_is_one_payment,
    a_declined_card_leaves_everything_as_it_was,
    the_bank_asks_and_nobody_answers,
    a_part_goes_back,
    a_bank_debit_is_on_its_way_and_not_paid,
)
