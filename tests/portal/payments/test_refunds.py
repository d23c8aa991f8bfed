"""Refunds by the office, by the contractor's own hand at Stripe, and those that fail later."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from infra.stripe_client import platform_stripe, tenant_stripe
from portal.payments import errors, refund_facts
from portal.payments.models import Journal, Payment, Refund
from portal.payments.services.refund_posting import apply_refund
from portal.payments.services.refunds import KEY_LIVES, adopt_refunds, resume_refunds
from tenants.models import Plan
from tenants.scope import control_scope
from tests.parallel import in_parallel

from .bench import Bench, later

REFUNDS = "^/v1/refunds$"
State = Refund.State


def by_hand(bench: Bench, amount: int, **more: Any) -> str:
    """Refund in Stripe's own dashboard."""
    (payment,) = bench.payments()
    params: Any = {"payment_intent": payment.stripe_pi_id, "amount": amount, **more}
    return str(tenant_stripe(bench.account).v1.refunds.create(params).id)


def test_a_whole_refund_reopens_the_invoice(bench: Bench) -> None:
    """payments.md 3b: the balance grows by what was refunded; journal, counters and audit agree."""
    bench.pay("1042")
    refund = bench.refund()
    assert (refund.state, refund.amount_cents) == (State.SUCCEEDED, 41250)
    invoice = bench.invoice()
    assert (invoice.status, invoice.paid_cents, invoice.balance_cents, invoice.paid_at) == ("open", 0, 41250, None)
    (payment,) = bench.payments()
    assert (payment.status, payment.refunded_cents, payment.allocated_cents) == ("refunded", 41250, 0)
    with bench.acme():
        legs = Journal.objects.filter(kind="refund").values_list("account", "delta_cents", "invoice__number")
        assert sorted(legs, key=repr) == [("receivable", 41250, "1042"), ("stripe_clearing", -41250, None)]


def test_a_reopened_invoice_can_be_paid_again(bench: Bench) -> None:
    bench.pay("1042")
    bench.refund()
    bench.pay("1042")
    assert bench.invoice().status == "paid"
    assert len(bench.payments()) == 2


def test_a_company_that_has_disconnected_can_still_give_money_back(bench: Bench) -> None:
    """F22: its account is known to the control plane alone, which no transaction of the company reaches (S1)."""
    bench.pay("1042")
    bench.disconnect()
    assert bench.refund(10000).state == State.SUCCEEDED


def test_a_partial_refund_leaves_the_rest_paid(bench: Bench) -> None:
    bench.pay("1042")
    bench.refund(10000)
    invoice = bench.invoice()
    assert (invoice.status, invoice.paid_cents, invoice.balance_cents) == ("partially_paid", 31250, 10000)
    assert bench.payments()[0].status == "partially_refunded"
    bench.refund()
    assert bench.invoice().status == "open"
    assert bench.payments()[0].status == "refunded"


def test_a_goodwill_refund_keeps_the_invoice_paid(bench: Bench) -> None:
    """payments.md 3b: a credit note for the same amount, so that nobody is reminded of money given as a present."""
    bench.pay("1042")
    paid_at = bench.invoice().paid_at
    bench.refund(5000, keeps_paid=True)
    invoice = bench.invoice()
    assert (invoice.status, invoice.paid_cents, invoice.credited_cents, invoice.balance_cents) == (
        "paid",
        36250,
        5000,
        0,
    )
    assert invoice.paid_at == paid_at
    with bench.acme():
        legs = Journal.objects.filter(kind="credit_note").values_list("account", "delta_cents")
        assert sorted(legs) == [("receivable", -5000), ("refund", 5000)]


def test_the_platforms_fee_goes_back_in_proportion(bench: Bench) -> None:
    """PAY-14: the fee's part is in the refund's own movement, so the journal still equals Stripe's balance."""
    with control_scope():
        Plan.objects.filter(code="porch").update(application_fee_bps=200)
    bench.pay("1042")
    bench.refund(20625)
    bench.refund(20624)
    (fee,) = platform_stripe().v1.application_fees.list({}).data
    assert fee.amount == 825
    assert fee.amount_refunded == 825 * 41249 // 41250
    with bench.acme():
        given_back = Journal.objects.filter(kind="fee", account="fee", delta_cents__lt=0)
        assert sum(given_back.values_list("delta_cents", flat=True)) == -fee.amount_refunded


def test_the_same_form_is_one_refund(bench: Bench) -> None:
    """F5: double click and back button; the key is the refund's id and is stored before the call (PAY-05)."""
    bench.pay("1042")
    key = uuid4()
    results = in_parallel(6, lambda: bench.refund(10000, form_key=key))
    assert {refund.pk for refund in results} == {results[0].pk}
    (told,) = {entry["idempotency_key"] for entry in bench.requests_to("/v1/refunds")}
    assert told == str(results[0].pk)
    assert bench.payments()[0].refunded_cents == 10000


def test_a_form_key_of_another_refund_is_refused(bench: Bench) -> None:
    bench.pay("1042")
    key = uuid4()
    bench.refund(10000, form_key=key)
    with pytest.raises(errors.FormReused):
        bench.refund(20000, form_key=key)


def test_more_than_is_left_is_refused_before_stripe_is_asked(bench: Bench) -> None:
    """F19, PAY-16."""
    bench.pay("1042")
    bench.refund(40000)
    with pytest.raises(errors.RefundTooLarge) as caught:
        bench.refund(1251)
    assert caught.value.left_cents == 1250
    assert len(bench.requests_to("/v1/refunds")) == 1


def test_of_two_racing_refunds_one_is_refused(bench: Bench) -> None:
    """F19: the lock and what the first has set aside."""
    bench.pay("1042")
    results = in_parallel(4, lambda: bench.refund(30000))
    made = [result for result in results if isinstance(result, Refund)]
    assert len(made) == 1
    assert all(isinstance(result, errors.RefundTooLarge) for result in results if result not in made)
    assert len(bench.requests_to("/v1/refunds")) == 1


def test_the_database_itself_allows_no_refund_beyond_what_came_in(bench: Bench) -> None:
    """F19: the CHECK is the last guard of our own decisions."""
    bench.pay("1042")
    with bench.acme(), pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.update(refunded_cents=41251)


def test_a_refund_whose_answer_is_lost_is_made_once(bench: Bench) -> None:
    """F1, F2, F-62: the amount stays set aside, the sweep repeats the same key and finds the refund."""
    bench.pay("1042")
    bench.break_api("timeout_after", path=REFUNDS, times=3, seconds=0.01)
    bench.break_api("503", path=REFUNDS, method="GET", times=6)
    refund = bench.refund(10000)
    assert refund.state == State.REQUESTED
    assert bench.payments()[0].refunded_cents == 10000
    assert bench.invoice().status == "paid"
    bench.heal()
    with bench.acme() as context:
        resume_refunds(context=context, now=later(minutes=2))
    assert bench.refunds()[0].state == State.SUCCEEDED
    assert bench.invoice().balance_cents == 10000
    assert len(tenant_stripe(bench.account).v1.refunds.list({}).data) == 1


def test_an_old_key_is_not_sent_again(bench: Bench) -> None:
    """PAY-06, F-53: after a day the list of refunds decides, also that there is none."""
    bench.pay("1042")
    bench.break_api("500", path=REFUNDS, times=3)
    bench.break_api("503", path=REFUNDS, method="GET", times=6)
    bench.refund(10000)
    bench.heal()
    with bench.acme() as context:
        resume_refunds(context=context, now=later(seconds=KEY_LIVES.total_seconds() + 60))
    (refund,) = bench.refunds()
    assert (refund.state, refund.failure_code) == (State.FAILED, "never_made")
    assert bench.payments()[0].refunded_cents == 0
    bench.refund(10000)
    assert len(tenant_stripe(bench.account).v1.refunds.list({}).data) == 1


def test_a_saved_error_is_looked_behind(bench: Bench) -> None:
    """F4: Stripe replays the 500 for ever; the list shows that the refund was made."""
    bench.pay("1042")
    bench.break_api("500_saved", path=REFUNDS)
    assert bench.refund(10000).state == State.SUCCEEDED


def test_a_refund_made_by_hand_is_adopted_once(bench: Bench) -> None:
    """F21: from looking again, journal once, the customer is told."""
    bench.pay("1042")
    by_hand(bench, 10000)
    with bench.acme() as context:
        for _ in range(3):
            adopt_refunds(context=context, intent_id=str(bench.payments()[0].stripe_pi_id), now=later())
    (refund,) = bench.refunds()
    assert (refund.origin, refund.amount_cents, refund.state) == ("dashboard", 10000, State.SUCCEEDED)
    assert bench.invoice().balance_cents == 10000
    with bench.acme():
        assert Journal.objects.filter(kind="refund").count() == 2
    bench.deliver_mail()
    assert [m.subject for m in mail.outbox if "R-1101" not in m.subject] == ["Refund of $100.00"]


def test_our_request_gives_way_to_a_refund_made_by_hand(bench: Bench) -> None:
    """F19, F21: both cannot be; Stripe refuses ours, and its list shows why."""
    bench.pay("1042")
    by_hand(bench, 41250)
    refund = bench.refund()
    assert refund.state == State.FAILED
    assert [(r.origin, r.state) for r in bench.refunds()] == [
        ("dashboard", State.SUCCEEDED),
        ("office", State.FAILED),
    ] or [(r.origin, r.state) for r in bench.refunds()] == [
        ("office", State.FAILED),
        ("dashboard", State.SUCCEEDED),
    ]
    assert bench.payments()[0].refunded_cents == 41250


def test_a_fact_that_leaves_our_request_no_room_is_stored(bench: Bench) -> None:
    """payments.md 3b: a fact from Stripe must always be storable; our unanswered request ends instead."""
    bench.pay("1042")
    bench.break_api("500", path=REFUNDS, times=3)
    bench.break_api("503", path=REFUNDS, method="GET", times=6)
    assert bench.refund().state == State.REQUESTED
    bench.heal()
    by_hand(bench, 41250)
    with bench.acme() as context:
        adopt_refunds(context=context, intent_id=str(bench.payments()[0].stripe_pi_id), now=later())
    assert sorted((r.origin, r.state) for r in bench.refunds()) == [
        ("dashboard", State.SUCCEEDED),
        ("office", State.FAILED),
    ]


def test_copied_metadata_adopts_no_second_refund(bench: Bench) -> None:
    """Somebody repeats our metadata by hand: it is another refund all the same."""
    bench.pay("1042")
    refund = bench.refund(10000)
    by_hand(bench, 5000, metadata=dict(refund.request["metadata"]))
    with bench.acme() as context:
        adopt_refunds(context=context, intent_id=str(bench.payments()[0].stripe_pi_id), now=later())
    assert sorted(r.amount_cents for r in bench.refunds()) == [5000, 10000]


def test_a_refund_that_fails_later_is_given_back(bench: Bench) -> None:
    """F18: the invoice is paid again, the amount can be refunded again, the office is told."""
    bench.pay("1042", method="pm_card_refundFail")
    assert bench.refund().state == State.SUCCEEDED
    assert bench.invoice().status == "open"
    bench.control("advance", days=4)
    with bench.acme() as context:
        adopt_refunds(context=context, intent_id=str(bench.payments()[0].stripe_pi_id), now=later())
        adopt_refunds(context=context, intent_id=str(bench.payments()[0].stripe_pi_id), now=later())
    (refund,) = bench.refunds()
    assert refund.state == State.FAILED
    assert bench.invoice().status == "paid"
    (payment,) = bench.payments()
    assert (payment.status, payment.refunded_cents, payment.allocated_cents) == ("succeeded", 0, 41250)
    bench.deliver_mail()
    assert [m.to for m in mail.outbox if "refund" in m.subject.lower() and "$412.50" in m.subject] == [
        ["alice@example.com"],
        ["olive@acme.example"],
    ]


def test_a_goodwill_refund_that_fails_takes_its_note_back(bench: Bench) -> None:
    """F18."""
    bench.pay("1042", method="pm_card_refundFail")
    bench.refund(5000, keeps_paid=True)
    bench.control("advance", days=4)
    with bench.acme() as context:
        adopt_refunds(context=context, intent_id=str(bench.payments()[0].stripe_pi_id), now=later())
    invoice = bench.invoice()
    assert (invoice.paid_cents, invoice.credited_cents, invoice.status) == (41250, 0, "paid")


def test_what_comes_back_when_the_invoice_is_paid_again_is_credit(bench: Bench) -> None:
    """F18 and datamodel.md 7.2: never beyond the invoice."""
    bench.pay("1042", method="pm_card_refundFail")
    (first,) = bench.payments()
    bench.refund()
    bench.pay("1042")
    bench.control("advance", days=4)
    with bench.acme() as context:
        adopt_refunds(context=context, intent_id=str(first.stripe_pi_id), now=later())
        credit = first.credits.get()
    assert credit.remaining_cents == 41250
    assert bench.invoice().paid_cents == 41250


def test_the_customer_is_told_once(bench: Bench) -> None:
    bench.pay("1042")
    bench.refund(10000)
    bench.deliver_mail()
    bench.deliver_mail()
    told = [m for m in mail.outbox if m.subject == "Refund of $100.00"]
    assert [m.to for m in told] == [["alice@example.com"]]
    for fact in ("$100.00", "Visa ending 4242", "R-1101", "Invoice 1042", "is due again"):
        assert fact in told[0].body


def test_facts_fetched_before_a_failure_do_not_undo_it(bench: Bench) -> None:
    """F10, F18: a refund moves forward only; what was fetched earlier and is applied later changes nothing."""
    bench.pay("1042", method="pm_card_refundFail")
    refund = bench.refund()
    early = refund_facts.retrieve_refund(bench.account, str(refund.stripe_refund_id))
    bench.control("advance", days=4)
    with bench.acme() as context:
        adopt_refunds(context=context, intent_id=str(bench.payments()[0].stripe_pi_id), now=later())
        apply_refund(tenant_id=context.tenant.id, account_id=bench.account, facts=early, now=later())
    assert [r.state for r in bench.refunds()] == [State.FAILED]
    assert bench.invoice().status == "paid"


def test_a_refund_that_disagrees_with_our_request_is_not_applied(bench: Bench) -> None:
    """F25: another amount or currency under our own metadata is parked, not guessed."""
    bench.pay("1042")
    bench.break_api("500", path=REFUNDS, times=3)
    bench.break_api("503", path=REFUNDS, method="GET", times=6)
    refund = bench.refund(10000)
    bench.heal()
    forged = by_hand(bench, 5000, metadata=dict(refund.request["metadata"]))
    facts = refund_facts.retrieve_refund(bench.account, forged)
    with bench.acme() as context, pytest.raises(errors.IntentDisagrees):
        apply_refund(tenant_id=context.tenant.id, account_id=bench.account, facts=facts, now=later())
    assert bench.refunds()[0].state == State.REQUESTED
    assert bench.invoice().status == "paid"

    with bench.running.double.lock:
        scope = bench.running.double.scope(bench.account)
        charge = next(iter(scope.book.kind("charge").values()))
        charge.update(amount_refunded=0)
        taken = scope.book.kind("refund").pop(forged)
        del scope.book.kind("balance_transaction")[taken["balance_transaction"]]
