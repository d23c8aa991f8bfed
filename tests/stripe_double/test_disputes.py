"""Disputes as Stripe runs them: inquiries, withdrawn and reinstated funds, the two magic words, refunds refused."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from .bench import Bench, pay


def balance(client: stripe.StripeClient, on: Any) -> int:
    """Return what the account's movements sum to."""
    return sum(txn.net for txn in client.v1.balance_transactions.list({"limit": 100}, on).data)


def answer(client: stripe.StripeClient, dispute: str, words: str, on: Any) -> str:
    """Send evidence and return the dispute's status."""
    params: Any = {"evidence": {"uncategorized_text": words}}
    return client.v1.disputes.update(dispute, params, on).status


def test_a_dispute_takes_the_money_and_a_win_brings_it_back(bench: Bench, client: stripe.StripeClient) -> None:
    """The fee of the dispute stays with Stripe, and a closed dispute takes no answer."""
    on: Any = {"stripe_account": bench.account(client)}
    pay(client, on["stripe_account"])
    before = balance(client, on)
    intent = pay(client, on["stripe_account"], method="pm_card_createDispute")
    (dispute,) = client.v1.disputes.list({"payment_intent": intent.id}, on).data
    assert (dispute.status, len(dispute.balance_transactions)) == ("needs_response", 1)
    assert dispute.evidence_details.due_by
    assert answer(client, dispute.id, "see the photos", on) == "under_review"
    assert answer(client, dispute.id, "winning_evidence", on) == "won"
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        client.v1.disputes.close(dispute.id, {}, on)
    won = client.v1.disputes.retrieve(dispute.id, {}, on)
    assert [txn.amount for txn in won.balance_transactions] == [-12_500, 12_500]
    charge = client.v1.charges.retrieve(str(intent.latest_charge), {"expand": ["balance_transaction"]}, on)
    kept: Any = charge.balance_transaction
    assert balance(client, on) == before + kept.net - 1500
    bench.inbox.wait_for("charge.dispute.funds_reinstated")


def test_an_inquiry_takes_nothing_until_it_is_escalated(bench: Bench, client: stripe.StripeClient) -> None:
    on: Any = {"stripe_account": bench.account(client)}
    intent = pay(client, on["stripe_account"], method="pm_card_createDisputeInquiry")
    (inquiry,) = client.v1.disputes.list({"payment_intent": intent.id}, on).data
    assert (inquiry.status, inquiry.balance_transactions) == ("warning_needs_response", [])
    bench.control("dispute", account=on["stripe_account"], escalate=inquiry.id)
    escalated = client.v1.disputes.retrieve(inquiry.id, {}, on)
    assert (escalated.status, len(escalated.balance_transactions)) == ("needs_response", 1)
    assert client.v1.disputes.close(inquiry.id, {}, on).status == "lost"


def test_a_disputed_charge_is_not_refunded_and_a_won_one_is(bench: Bench, client: stripe.StripeClient) -> None:
    """F20."""
    on: Any = {"stripe_account": bench.account(client)}
    intent = pay(client, on["stripe_account"], method="pm_card_createDisputeProductNotReceived")
    params: Any = {"payment_intent": intent.id, "amount": 100}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create(params, on)
    assert caught.value.code == "charge_disputed"
    (dispute,) = client.v1.disputes.list({}, on).data
    assert dispute.reason == "product_not_received"
    answer(client, dispute.id, "winning_evidence", on)
    assert client.v1.refunds.create(params, on).status == "succeeded"


def test_a_refunds_movement_carries_the_fee_it_brings_back(bench: Bench, client: stripe.StripeClient) -> None:
    """A direct charge's application fee comes back to the account in the refund's own movement."""
    on: Any = {"stripe_account": bench.account(client)}
    intent = pay(client, on["stripe_account"])
    params: Any = {
        "payment_intent": intent.id,
        "amount": 5_000,
        "refund_application_fee": True,
        "expand": ["balance_transaction"],
    }
    movement: Any = client.v1.refunds.create(params, on).balance_transaction
    assert (movement.amount, movement.fee, movement.net) == (-5_000, -100, -4_900)
    assert [(part.type, part.amount) for part in movement.fee_details] == [("application_fee", -100)]


def test_a_failed_refund_names_the_movement_that_brought_it_back(bench: Bench, client: stripe.StripeClient) -> None:
    """F18."""
    on: Any = {"stripe_account": bench.account(client)}
    intent = pay(client, on["stripe_account"], method="pm_card_refundFail")
    made = client.v1.refunds.create({"payment_intent": intent.id}, on)
    assert made.status == "succeeded"
    bench.control("advance", days=4)
    failed = client.v1.refunds.retrieve(made.id, {"expand": ["failure_balance_transaction"]}, on)
    back: Any = failed.failure_balance_transaction
    assert (failed.status, back.amount) == ("failed", 12_500)
    bench.inbox.wait_for("refund.failed")
