"""The deposit on an estimate: paid once, held, moved to the invoice, given back (payments.md 3b)."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.accounts.models import PortalUser
from portal.estimates.errors import NotCancelable, NotConvertible
from portal.estimates.models import Estimate
from portal.invoices.models import Invoice
from portal.payments import errors
from portal.payments.models import Credit, Journal, Payment, PaymentAllocation, PaymentAttempt
from portal.payments.payers import Payer
from portal.payments.services.estimates import cancel_estimate, convert_estimate
from portal.payments.services.settle import Settled, settle_attempt
from portal.payments.services.submit import Submission, submit_payment
from tenants.config.registry import REFUND_SECOND_PERSON
from tenants.schema.models import AuditEvent
from tests.parallel import in_parallel
from tests.portal.estimates import making
from tests.portal.estimates.making import OLIVE, approve, sent, today
from tests.portal.payments.bench import Bench, later
from tests.portal.payments.test_disputes import decide
from tests.portal.payments.test_pages import form_of
from tests.portal.sharing.making import settle_on

State = PaymentAttempt.State
DEPOSIT, TOTAL = 110550, 368500


@pytest.fixture
def estimate(bench: Bench) -> Estimate:
    """An approved estimate with a deposit of 1,105.50."""
    with bench.acme():
        return approve(sent())


def pay(bench: Bench, estimate: Estimate, *, seen: int = DEPOSIT, card: str = "pm_card_visa", **more: Any) -> Settled:
    """Pay the deposit as the view does."""
    user = more.pop("user", "alice@example.com")
    with bench.acme() as context:
        given = Submission(more.pop("form_key", None) or uuid4(), seen, bench.token(card), more.pop("part", None))
        return submit_payment(
            context=context,
            bill_to_id=more.pop("bill_to", estimate.customer_id),
            estimate_id=estimate.pk,
            payer=Payer(portal_user_id=PortalUser.objects.get(email=user).pk),
            submission=given,
            by=making.ALICE,
            now=timezone.now(),
        )


def now_is(bench: Bench, estimate: Estimate) -> Estimate:
    with bench.acme():
        return making.again(estimate.pk)


def convert(bench: Bench, estimate: Estimate, number: str = "2001") -> Invoice:
    with bench.acme():
        return convert_estimate(estimate_id=estimate.pk, number=number, today=today(), by=OLIVE, now=timezone.now())


def legs(bench: Bench, kind: str) -> list[tuple[str, int]]:
    with bench.acme():
        return sorted(Journal.objects.filter(kind=kind).values_list("account", "delta_cents"))


def test_a_card_pays_the_deposit(bench: Bench, estimate: Estimate) -> None:
    """The same pay path: attempt, intent, payment, journal, receipt; its target is the estimate."""
    assert pay(bench, estimate).attempt.state == State.SUCCEEDED
    found = now_is(bench, estimate)
    assert (found.status, found.deposit_paid_cents, found.deposit_reserved_cents) == ("approved", DEPOSIT, 0)
    assert legs(bench, "payment") == [("deposit", -DEPOSIT), ("stripe_clearing", DEPOSIT)]
    with bench.acme():
        row = PaymentAllocation.objects.get()
        assert (row.estimate_id, row.invoice_id, row.amount_cents) == (estimate.pk, None, DEPOSIT)
    (intent,) = bench.intents()
    assert intent.description == f"Deposit on estimate {estimate.number}"
    mail.outbox.clear()
    bench.deliver_mail()
    receipt = next(sent for sent in mail.outbox if sent.subject.startswith("Receipt"))
    assert f"Deposit on estimate {estimate.number}" in receipt.body
    html = bench.browser().get("/").content.decode()
    assert re.search(r"Deposit held</dt><dd>\$1,105\.50", html), "the balance shows what is held"
    with pytest.raises(errors.NotPayable):
        pay(bench, estimate)


def test_of_two_payers_of_one_deposit_one_pays(bench: Bench, estimate: Estimate) -> None:
    """F6: the reservation is part of the lock; twelve people press at once."""
    results = in_parallel(12, lambda: pay(bench, estimate))
    won = [each for each in results if isinstance(each, Settled)]
    assert len(won) == 1, results
    assert all(isinstance(each, Settled | errors.SomebodyIsPaying | errors.NotPayable) for each in results), results
    assert bench.charged() == DEPOSIT
    assert len(bench.payments()) == 1


def test_eight_submits_of_one_form_are_one_payment(bench: Bench, estimate: Estimate) -> None:
    """F5."""
    key = uuid4()
    results = in_parallel(8, lambda: pay(bench, estimate, form_key=key))
    assert len({each.attempt.pk for each in results}) == 1
    assert bench.charged() == DEPOSIT


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"seen": DEPOSIT - 1}, errors.AmountChanged),
        ({"seen": 100}, errors.AmountChanged),
        ({"seen": TOTAL}, errors.AmountChanged),
        ({"part": 100}, errors.PartNotAllowed),
    ],
)
def test_another_amount_than_the_deposit_is_refused(
    bench: Bench, estimate: Estimate, change: dict[str, int], error: type[Exception]
) -> None:
    """PAY-03: nothing is charged, nothing is held."""
    with pytest.raises(error):
        pay(bench, estimate, **change)
    assert bench.charged() == 0
    assert now_is(bench, estimate).deposit_reserved_cents == 0


def test_a_deposit_of_somebody_else_is_not_payable(bench: Bench, estimate: Estimate) -> None:
    """AUZ-08: the estimate is compared with the account under lock."""
    with bench.acme():
        bob = PortalUser.objects.get(email="bob@example.com").accesses.get().customer_id
    with pytest.raises(errors.NotPayable):
        pay(bench, estimate, bill_to=bob, user="bob@example.com")
    browser, url = bench.browser("bob@example.com"), f"/pay/deposit/{estimate.pk}"
    assert browser.get(url).status_code == 404
    assert browser.post(url).status_code == 404
    with bench.acme():
        refused = AuditEvent.objects.get(action="payment.refused")
        assert (refused.actor_label, refused.after["asked"]) == ("Bob Baker", [str(estimate.pk)])
    assert bench.charged() == 0


def test_nothing_is_due_before_the_approval(bench: Bench) -> None:
    with bench.acme():
        estimate = sent()
    with pytest.raises(errors.NotPayable):
        pay(bench, estimate, seen=DEPOSIT)


def test_a_bank_debit_is_on_its_way_until_it_clears(bench: Bench, estimate: Estimate) -> None:
    """PAY-13, X-06: approved, the deposit processing; no receipt, nothing payable twice."""
    attempt = pay(bench, estimate, card="pm_usBankAccount_success").attempt
    assert attempt.state == State.PROCESSING
    found = now_is(bench, estimate)
    assert (found.status, found.deposit_pending_cents, found.deposit_paid_cents) == ("approved", DEPOSIT, 0)
    with pytest.raises(errors.SomebodyIsPaying):
        pay(bench, estimate, user="bob@example.com")
    html = bench.browser().get(f"/estimates/{estimate.pk}").content.decode()
    assert "is on its way" in html
    bench.control("advance", days=7)
    with bench.acme() as context:
        settle_attempt(context=context, attempt_id=attempt.pk, now=later())
    found = now_is(bench, estimate)
    assert (found.deposit_pending_cents, found.deposit_paid_cents) == (0, DEPOSIT)


def test_a_debit_that_fails_leaves_the_deposit_due(bench: Bench, estimate: Estimate) -> None:
    """F16."""
    attempt = pay(bench, estimate, card="pm_usBankAccount_insufficientFunds").attempt
    bench.control("advance", days=7)
    with bench.acme() as context:
        settle_attempt(context=context, attempt_id=attempt.pk, now=later())
    found = now_is(bench, estimate)
    assert (found.deposit_pending_cents, found.deposit_paid_cents, found.status) == (0, 0, "approved")
    bench.deliver_mail()
    assert any("didn’t go through" in sent.subject for sent in mail.outbox)
    assert pay(bench, estimate).attempt.state == State.SUCCEEDED


def test_a_declined_card_frees_the_deposit(bench: Bench, estimate: Estimate) -> None:
    """F8."""
    assert pay(bench, estimate, card="pm_card_chargeDeclined").attempt.state == State.FAILED
    assert now_is(bench, estimate).deposit_reserved_cents == 0


def test_the_deposit_moves_to_the_invoice(bench: Bench, estimate: Estimate) -> None:
    """payments.md: a reversal and a new row, one transaction, the journal sums to nothing."""
    pay(bench, estimate)
    invoice = convert(bench, estimate)
    assert (invoice.total_cents, invoice.paid_cents, invoice.status) == (TOTAL, DEPOSIT, "partially_paid")
    found = now_is(bench, estimate)
    assert (found.status, found.deposit_paid_cents, found.invoice_id) == ("converted", 0, invoice.pk)
    assert legs(bench, "deposit_applied") == [("deposit", DEPOSIT), ("receivable", -DEPOSIT)]
    with bench.acme():
        first, undone, moved = PaymentAllocation.objects.order_by("id")
        assert (undone.reverses_id, undone.estimate_id) == (first.pk, estimate.pk)
        assert (moved.invoice_id, moved.amount_cents) == (invoice.pk, DEPOSIT)
    html = bench.browser().get(f"/invoices/{invoice.pk}").content.decode()
    assert "From your deposit" in html
    bench.pay("2001")
    assert bench.charged() == TOTAL
    assert bench.invoice("2001").status == "paid"


def test_a_second_conversion_does_nothing(bench: Bench, estimate: Estimate) -> None:
    """One estimate, one invoice: eight clicks at once."""
    pay(bench, estimate)
    numbers = iter(range(3001, 3009))
    results = in_parallel(8, lambda: convert(bench, estimate, str(next(numbers))))
    assert sum(isinstance(each, Invoice) for each in results) == 1, results
    assert sum(isinstance(each, NotConvertible) for each in results) == 7, results
    with bench.acme():
        assert Invoice.objects.filter(number__startswith="30").count() == 1
    with pytest.raises(IntegrityError), bench.acme(), transaction.atomic():
        Estimate.objects.filter(pk=estimate.pk).update(status="approved")


def test_an_estimate_without_deposit_becomes_an_invoice(bench: Bench) -> None:
    with bench.acme():
        estimate = approve(sent(what=making.offer("none", 0)))
    assert convert(bench, estimate).paid_cents == 0
    with bench.acme():
        waiting = sent()
    with pytest.raises(NotConvertible):
        convert(bench, waiting, "2002")


def test_a_deposit_that_arrives_after_the_conversion_is_credit(bench: Bench, estimate: Estimate) -> None:
    """A fact from Stripe is always storable: money that fits nowhere belongs to the customer."""
    attempt = pay(bench, estimate, card="pm_usBankAccount_success").attempt
    convert(bench, estimate)
    bench.control("advance", days=7)
    with bench.acme() as context:
        settle_attempt(context=context, attempt_id=attempt.pk, now=later())
        assert Credit.objects.get().remaining_cents == DEPOSIT
    assert now_is(bench, estimate).deposit_pending_cents == 0


def test_a_refund_gives_the_deposit_back_for_good(bench: Bench, estimate: Estimate) -> None:
    """PAY-16: what the office gives back is not asked for again."""
    settle_on(**{REFUND_SECOND_PERSON.name: False})
    pay(bench, estimate)
    assert bench.refund(10550).state == "succeeded"
    found = now_is(bench, estimate)
    assert (found.deposit_cents, found.deposit_paid_cents) == (100000, 100000)
    assert legs(bench, "refund") == [("deposit", 10550), ("stripe_clearing", -10550)]
    bench.refund(100000)
    found = now_is(bench, estimate)
    assert (found.deposit_cents, found.deposit_paid_cents, found.status) == (0, 0, "approved")
    with pytest.raises(errors.NotPayable):
        pay(bench, estimate)


def test_a_dispute_takes_the_deposit_and_a_win_brings_it_back(bench: Bench, estimate: Estimate) -> None:
    """F20: it is due again, until the bank decides otherwise."""
    pay(bench, estimate)
    dispute = bench.dispute()
    bench.look_at_disputes()
    found = now_is(bench, estimate)
    assert (found.deposit_paid_cents, found.deposit_cents) == (0, DEPOSIT)
    decide(bench, dispute, "winning_evidence")
    bench.look_at_disputes()
    assert now_is(bench, estimate).deposit_paid_cents == DEPOSIT


def test_canceling_turns_the_deposit_into_credit(bench: Bench, estimate: Estimate) -> None:
    """The office applies it or gives it back in one click; customers see the estimate no more (VIS-04)."""
    settle_on(**{REFUND_SECOND_PERSON.name: False})
    pay(bench, estimate)
    with bench.acme():
        assert cancel_estimate(estimate_id=estimate.pk, by=OLIVE, now=timezone.now()) == DEPOSIT
        credit = Credit.objects.get()
        assert (credit.origin, credit.remaining_cents) == ("deposit", DEPOSIT)
        with pytest.raises(NotCancelable):
            cancel_estimate(estimate_id=estimate.pk, by=OLIVE, now=timezone.now())
    assert legs(bench, "deposit_released") == [("credit", -DEPOSIT), ("deposit", DEPOSIT)]
    assert bench.browser().get(f"/estimates/{estimate.pk}").status_code == 404
    bench.refund()
    assert bench.payments()[0].status == Payment.Status.REFUNDED


def test_the_customer_pays_on_the_page(bench: Bench, estimate: Estimate) -> None:
    """P-09, P-10: the page of invoices, with the deposit on it; the result names it."""
    browser = bench.browser()
    url = f"/pay/deposit/{estimate.pk}"
    html = browser.get(url).content.decode()
    assert f"Deposit on estimate {estimate.number}" in html
    assert "$1,105.50" in html
    form = {**form_of(html), "token": bench.token(), "seen_cents": "100"}
    assert browser.post(url, form)["Location"] == f"{url}?changed=1"
    form = {**form_of(browser.get(url).content.decode()), "token": bench.token()}
    answer = browser.post(url, form)
    assert answer.status_code == 303
    html = browser.get(answer["Location"]).content.decode()
    assert "Paid $1,105.50" in html
    assert f"/estimates/{estimate.pk}" in html
    assert browser.get(url)["Location"] == f"/estimates/{estimate.pk}"
    assert UUID(answer["Location"].rsplit("/", 1)[1])
