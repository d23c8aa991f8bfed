"""Disputes and bank returns: what the bank takes back is due again, what it gives back is paid again."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail

from infra.stripe_client import tenant_stripe
from portal.payments import dispute_facts, errors, intents
from portal.payments.models import Dispute, Journal, Payment, Refund
from portal.payments.services import disputes, settle
from portal.payments.services.disputes import MovedMeanwhile, apply_dispute
from tests.parallel import in_parallel

from .bench import Bench, later
from .test_office_refunds import office, url_of


def decide(bench: Bench, dispute_id: str, words: str) -> None:
    """Answer a dispute with one of Stripe's magic words."""
    params: Any = {"evidence": {"uncategorized_text": words}}
    tenant_stripe(bench.account).v1.disputes.update(dispute_id, params)


def the_dispute(bench: Bench) -> Dispute:
    """Return the one dispute as it is now."""
    with bench.acme():
        return Dispute.objects.get()


def pay_by_bank(bench: Bench, monkeypatch: pytest.MonkeyPatch, method: str = "pm_usBankAccount_dispute") -> None:
    """Pay by bank account and let it settle four days later, before bank accounts are offered to customers."""
    real = intents.build_request

    def with_bank(**parts: Any) -> dict[str, Any]:
        request = real(**parts)
        return {**request, "excluded_payment_method_types": [], "mandate_data": MANDATE}

    monkeypatch.setattr(intents, "build_request", with_bank)
    assert bench.pay("1042", method=method).attempt.state == "processing"
    bench.control("advance", days=4)
    with bench.acme() as context:
        settle.resume_attempts(context=context, now=later(days=4))


MANDATE = {"customer_acceptance": {"type": "online", "online": {"ip_address": "203.0.113.9", "user_agent": "test"}}}


def test_a_disputed_payment_makes_its_invoice_due_again(bench: Bench) -> None:
    """payments.md 3b: money out, invoice open, the fee of the dispute in the journal, exactly once."""
    bench.pay("1042", method="pm_card_createDispute")
    for _ in range(3):
        bench.look_at_disputes()
    invoice = bench.invoice()
    assert (invoice.status, invoice.balance_cents) == ("open", 41250)
    (payment,) = bench.payments()
    assert (payment.status, payment.disputed_out_cents, payment.allocated_cents) == ("disputed", 41250, 0)
    with bench.acme():
        legs = Journal.objects.filter(kind="dispute").values_list("account", "delta_cents", "invoice__number")
        assert sorted(legs, key=repr) == [("receivable", 41250, "1042"), ("stripe_clearing", -41250, None)]
        assert Journal.objects.get(kind="fee", account="fee", delta_cents=1500)


def test_a_won_dispute_settles_the_invoice_again(bench: Bench) -> None:
    bench.pay("1042")
    dispute_id = bench.dispute()
    bench.look_at_disputes()
    decide(bench, dispute_id, "winning_evidence")
    bench.look_at_disputes()
    assert bench.invoice().status == "paid"
    assert [(p.status, p.disputed_out_cents) for p in bench.payments()] == [("won", 0)]
    assert the_dispute(bench).closed_at is not None
    bench.refund(1000)
    assert bench.payments()[0].status == "partially_refunded"


def test_a_lost_dispute_stays_due(bench: Bench) -> None:
    bench.pay("1042")
    dispute_id = bench.dispute()
    decide(bench, dispute_id, "losing_evidence")
    bench.look_at_disputes()
    assert bench.invoice().status == "open"
    assert [(p.status, p.disputed_out_cents) for p in bench.payments()] == [("lost", 41250)]


def test_an_inquiry_moves_no_money_until_it_becomes_a_dispute(bench: Bench) -> None:
    bench.pay("1042")
    dispute_id = bench.dispute(status="warning_needs_response")
    bench.look_at_disputes()
    assert bench.invoice().status == "paid"
    assert bench.payments()[0].status == "succeeded"
    bench.control("dispute", account=bench.account, escalate=dispute_id)
    bench.look_at_disputes()
    assert bench.invoice().status == "open"
    assert bench.payments()[0].status == "disputed"


def test_a_bank_return_after_success_reopens_the_invoice(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """F17, PAY-13: the debit cleared, then the bank took it back: a lost dispute; payer and office are told."""
    pay_by_bank(bench, monkeypatch)
    assert bench.invoice().status == "paid"
    bench.control("advance", days=2)
    bench.look_at_disputes()
    bench.look_at_disputes()
    invoice = bench.invoice()
    assert (invoice.status, invoice.balance_cents, invoice.pending_cents) == ("open", 41250, 0)
    assert [(p.status, p.disputed_out_cents) for p in bench.payments()] == [("lost", 41250)]
    bench.deliver_mail()
    bench.deliver_mail()
    told = [(m.to[0], m.subject) for m in mail.outbox if "took back" in m.subject]
    assert sorted(told) == [
        ("alice@example.com", "Your bank took back your payment of $412.50"),
        ("olive@acme.example", "The bank took back $412.50 from Alice Archer"),
    ]


def test_refunded_and_returned_reopens_once_and_is_a_loss(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """F26: both are stored, the invoice reopens once, what went out twice is a loss with a task for the office."""
    pay_by_bank(bench, monkeypatch)
    bench.refund()
    bench.control("advance", days=2)
    bench.look_at_disputes()
    bench.look_at_disputes()
    invoice = bench.invoice()
    assert (invoice.status, invoice.balance_cents) == ("open", 41250)
    (payment,) = bench.payments()
    assert (payment.refunded_cents, payment.disputed_out_cents, payment.allocated_cents) == (41250, 41250, 0)
    with bench.acme():
        assert Journal.objects.get(account="loss").delta_cents == 41250
    bench.deliver_mail()
    assert [m.to for m in mail.outbox if m.subject == "$412.50 went out twice"] == [["olive@acme.example"]]


def test_what_comes_back_of_a_loss_is_no_loss_any_more(bench: Bench) -> None:
    """F26, and then the dispute is won."""
    bench.pay("1042")
    bench.refund(30000)
    dispute_id = bench.dispute(status="needs_response")
    bench.look_at_disputes()
    decide(bench, dispute_id, "winning_evidence")
    bench.look_at_disputes()
    with bench.acme():
        assert sum(Journal.objects.filter(account="loss").values_list("delta_cents", flat=True)) == 0
    invoice = bench.invoice()
    assert (invoice.status, invoice.balance_cents) == ("partially_paid", 30000)


def test_a_disputed_payment_cannot_be_refunded(bench: Bench) -> None:
    """F20: refused before Stripe is asked; the office's page offers it neither."""
    bench.pay("1042")
    bench.dispute(amount=10000)
    bench.look_at_disputes()
    with pytest.raises(errors.PaymentDisputed):
        bench.refund(1000)
    assert bench.requests_to("/v1/refunds") == []
    browser, url = office(bench), url_of(bench)
    html = browser.get(url).content.decode()
    assert "Refund…" not in html
    assert "Answer by" in html
    assert browser.get(f"{url}/refund").status_code == 303


def test_stripe_knows_of_a_dispute_before_we_do(bench: Bench) -> None:
    """F20: Stripe refuses (charge_disputed), nothing is set aside any more, and the dispute is looked at."""
    bench.pay("1042")
    bench.dispute()
    refund = bench.refund(1000)
    assert (refund.state, refund.failure_code) == (Refund.State.FAILED, "charge_disputed")
    (payment,) = bench.payments()
    assert (payment.status, payment.refunded_cents) == ("disputed", 0)


def test_the_office_is_told_the_deadline_once(bench: Bench) -> None:
    bench.pay("1042")
    dispute_id = bench.dispute()
    bench.look_at_disputes()
    bench.look_at_disputes()
    bench.deliver_mail()
    bench.deliver_mail()
    told = [m for m in mail.outbox if m.to == ["olive@acme.example"]]
    assert [m.subject for m in told] == ["Alice Archer disputes $412.50"]
    assert "Answer in your Stripe dashboard by" in " ".join(told[0].body.split())
    assert "Says it was not them" in told[0].body
    decide(bench, dispute_id, "winning_evidence")
    bench.look_at_disputes()
    bench.deliver_mail()
    assert [m.subject for m in mail.outbox if m.to == ["olive@acme.example"]][1:] == [
        "Dispute ended: $412.50 from Alice Archer stays paid"
    ]


def test_older_facts_are_not_applied_over_newer_ones(bench: Bench) -> None:
    """payments.md 3c.5: the mark has moved, so the look is repeated."""
    bench.pay("1042")
    dispute_id = bench.dispute()
    bench.look_at_disputes()
    mark = disputes._mark_of
    with bench.acme():
        before = mark(dispute_id)
    old = dispute_facts.retrieve_dispute(bench.account, dispute_id)
    decide(bench, dispute_id, "winning_evidence")
    bench.look_at_disputes()
    with bench.acme(), pytest.raises(MovedMeanwhile):
        apply_dispute(account_id=bench.account, facts=old, mark=before, now=later())
    assert the_dispute(bench).status == "won"
    assert bench.invoice().status == "paid"


def test_eight_looks_at_once_move_the_money_once(bench: Bench) -> None:
    """PAY-09."""
    bench.pay("1042")
    bench.dispute()
    results = in_parallel(8, bench.look_at_disputes)
    assert [result for result in results if result is not None] == []
    with bench.acme():
        assert Journal.objects.filter(kind="dispute").count() == 2
        assert Dispute.objects.count() == 1


def test_an_invoice_paid_again_meanwhile_makes_credit_of_a_won_dispute(bench: Bench) -> None:
    """datamodel.md 7.2: money that fits nowhere is the customer's."""
    bench.pay("1042")
    (first,) = bench.payments()
    dispute_id = bench.dispute(first)
    bench.look_at_disputes()
    bench.pay("1042")
    decide(bench, dispute_id, "winning_evidence")
    bench.look_at_disputes()
    with bench.acme():
        assert Payment.objects.get(pk=first.pk).credits.get().remaining_cents == 41250
