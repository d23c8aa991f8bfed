"""Bank debits of customers: under way for days, cleared, failed, taken back (PAY-04, PAY-13, F16, F17)."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.core import mail

from portal.payments.models import PaymentAttempt, PaymentMethod
from portal.payments.services.settle import resume_attempts, settle_attempt
from portal.payments.workdays import clears_by
from tests.conftest import HostClient
from tests.portal.payments.bench import Bench, later

from .keeping import choose, keep, methods
from .test_paying_on_file import pay_with

State = PaymentAttempt.State


def four_days_later(bench: Bench, days: int = 4) -> None:
    """Let the bank answer, and look at what it said, as an event asks for."""
    bench.control("advance", days=days)
    with bench.acme() as context:
        for attempt in PaymentAttempt.objects.filter(state=State.PROCESSING):
            settle_attempt(context=context, attempt_id=attempt.pk, now=later())


def subjects(to: str) -> list[str]:
    return [str(m.subject) for m in mail.outbox if m.to == [to]]


def test_a_debit_under_way_is_not_paid_and_has_no_receipt(bench: Bench) -> None:
    """PAY-13: pending, a mail that it has started, no receipt number anywhere; after it has cleared, the receipt."""
    attempt = pay_with(bench, None, token=bench.token("pm_usBankAccount_success")).attempt
    assert attempt.state == State.PROCESSING
    invoice = bench.invoice()
    assert (invoice.status, invoice.paid_cents, invoice.pending_cents) == ("open", 0, 41250)
    (payment,) = bench.payments()
    assert (payment.status, payment.receipt_no, payment.received_cents) == ("processing", None, 0)
    for _ in range(2):
        bench.deliver_mail()
    assert subjects("alice@example.com") == ["Your bank payment of $412.50 has started"]
    html = bench.browser().get(f"/pay/result/{attempt.pk}").content.decode()
    assert "Your payment is on its way" in html
    assert "Receipt no." not in html
    four_days_later(bench)
    assert bench.invoice().status == "paid"
    bench.deliver_mail()
    assert [s for s in subjects("alice@example.com") if s.startswith("Receipt")] == [
        f"Receipt {bench.payments()[0].receipt_no}: $412.50 paid"
    ]


@pytest.mark.parametrize(
    ("account", "words", "state"),
    [
        ("pm_usBankAccount_insufficientFunds", "There isn’t enough money in this account", "active"),
        ("pm_usBankAccount_accountClosed", "This bank account is closed", "invalid"),
        ("pm_usBankAccount_debitNotAuthorized", "The bank doesn’t allow debits of this account", "invalid"),
    ],
)
def test_a_debit_that_fails_after_days_frees_the_invoice(bench: Bench, account: str, words: str, state: str) -> None:
    """F16: failed, nothing pending, customer and office told why with the way to pay, and no receipt existed."""
    row = keep(bench, account).row
    pay_with(bench, row.pk)
    four_days_later(bench)
    four_days_later(bench)
    invoice = bench.invoice()
    assert (invoice.status, invoice.pending_cents, invoice.balance_cents) == ("open", 0, 41250)
    (payment,) = bench.payments()
    assert (payment.status, payment.receipt_no) == ("failed", None)
    for _ in range(2):
        bench.deliver_mail()
    assert subjects("alice@example.com").count("Your bank payment of $412.50 didn’t go through") == 1
    assert subjects("olive@acme.example").count("Bank payment of $412.50 from Alice Archer failed") == 1
    assert not [m for m in mail.outbox if str(m.subject).startswith("Receipt")]
    (told,) = [m for m in mail.outbox if "didn’t go through" in str(m.subject)]
    assert words in str(told.body)
    assert [each.state for each in methods(bench)] == [state]
    home = bench.browser().get("/").content.decode()
    assert "Your bank payment of $412.50 didn’t go through" in home
    assert words in home


def test_the_mail_of_a_failed_debit_leads_to_the_pay_page(bench: Bench) -> None:
    """PAY-10: one tap, one more to say who it is, and there is the button."""
    row = keep(bench).row
    pay_with(bench, None, token=bench.token("pm_usBankAccount_insufficientFunds"))
    four_days_later(bench)
    bench.deliver_mail()
    (told,) = [m for m in mail.outbox if "didn’t go through" in str(m.subject)]
    path = "/" + re.findall(r"http://[^\s]+/l/[^\s]+", str(told.body))[0].split("/", 3)[3]
    stranger = HostClient("acme.portal.localhost")
    stranger.get(path)
    target = stranger.post(path)["Location"]
    assert target == f"/pay/{bench.invoice().pk}"
    html = stranger.get(target).content.decode()
    assert f'value="{row.pk}" checked' in html


def test_a_debit_taken_back_after_success_is_due_again(bench: Bench) -> None:
    """F17: invoice due, the account must be added again, customer and office see it."""
    row = keep(bench, "pm_usBankAccount_dispute").row
    pay_with(bench, row.pk)
    four_days_later(bench)
    assert bench.invoice().status == "paid"
    bench.control("advance", days=2)
    for _ in range(2):
        bench.look_at_disputes()
    invoice = bench.invoice()
    assert (invoice.status, invoice.balance_cents) == ("open", 41250)
    assert [(each.state, each.is_default) for each in methods(bench)] == [(PaymentMethod.State.INVALID, False)]
    for _ in range(2):
        bench.deliver_mail()
    assert subjects("alice@example.com").count("Your bank took back your payment of $412.50") == 1
    assert subjects("olive@acme.example").count("The bank took back $412.50 from Alice Archer") == 1
    browser = bench.browser()
    assert "Your bank payment of $412.50 didn’t go through" in browser.get("/").content.decode()
    assert "Can’t be used any more" in browser.get("/pay/methods/").content.decode()
    assert "ending 6789" not in browser.get(f"/pay/{invoice.pk}").content.decode()


def test_an_account_saved_while_paying_is_invalid_after_its_return(bench: Bench) -> None:
    """F17: also when it was put on file by the payment itself."""
    pay_with(bench, None, token=bench.token("pm_usBankAccount_dispute"), saves=True)
    bench.deliver_mail()
    assert [each.state for each in methods(bench)] == ["active"]
    four_days_later(bench)
    bench.control("advance", days=2)
    bench.look_at_disputes()
    assert [each.state for each in methods(bench)] == ["invalid"]


def test_a_debit_under_way_is_looked_at_once_an_hour(bench: Bench) -> None:
    """PAY-11: a lost event is made up for within hours, without asking Stripe every half minute for days."""
    attempt = pay_with(bench, None, token=bench.token("pm_usBankAccount_processing")).attempt
    path = f"/v1/payment_intents/{attempt.stripe_pi_id}"

    def looks(minutes: int) -> int:
        with bench.acme() as context:
            resume_attempts(context=context, now=later(minutes=minutes))
        return len(bench.requests_to(path))

    before = looks(1)
    assert looks(30) == before
    assert looks(61) == before + 1
    assert looks(62) == before + 1
    assert looks(125) == before + 2
    assert bench.invoice().pending_cents == 41250


def test_the_bank_is_offered_where_the_company_takes_it(bench: Bench) -> None:
    """PAY-04: pay.methods."""
    browser = bench.browser()
    url = f"/pay/{bench.invoice().pk}"
    assert '"excluded": []' in browser.get(url).content.decode()
    choose(bench, pay__methods=["card"])
    html = browser.get(url).content.decode()
    assert '"excluded": ["us_bank_account"]' in html
    assert "Another card or bank account" not in html


@pytest.mark.parametrize(
    ("started", "clears"),
    [
        (date(2026, 11, 20), date(2026, 11, 26)),
        (date(2026, 11, 23), date(2026, 11, 27)),
        (date(2026, 11, 21), date(2026, 11, 26)),
    ],
)
def test_a_promise_counts_the_days_on_which_banks_work(started: date, clears: date) -> None:
    assert clears_by(started) == clears
