"""Events over HTTP from the double: repeated, in any order or lost, the ledger is the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail

from infra.stripe_client import tenant_stripe
from infra.stripe_double.resources.accounts import finish_onboarding
from portal.payments.models import PaymentAttempt
from portal.payments.tasks import resume_open_attempts
from tenants.audit import Actor
from tenants.models import PaymentAccount, PlatformAuditEvent
from tenants.scope import control_scope
from tests.cast import ACME
from tests.parallel import in_parallel
from tests.portal.payments.bench import Bench, later, wait_until
from webhooks import tasks
from webhooks.services.process import MAX_ATTEMPTS, due_events, process_event, replay_event
from webhooks.services.pull import pull_all_events

State = PaymentAttempt.State
SUCCEEDED = "payment_intent.succeeded"


def pay_without_answer(bench: Bench) -> PaymentAttempt:
    """Pay so that only webhooks and sweeps can tell what happened."""
    bench.break_api("timeout_after", times=3, seconds=0.01)
    attempt = bench.pay("1042").attempt
    assert attempt.state == State.UNKNOWN
    return attempt


def test_a_webhook_alone_completes_a_payment(live: Bench) -> None:
    """PAY-10: effect, journal and outbox in the tenant; the inbox row is marked done after it."""
    attempt = pay_without_answer(live)
    live.wait_for_events(1, SUCCEEDED)
    live.work_off()
    assert live.attempt(attempt.pk).state == State.SUCCEEDED
    assert live.invoice().status == "paid"
    done = [row for row in live.inbox().values() if row.type == SUCCEEDED]
    assert [(row.state, row.tenant_id) for row in done] == [("done", ACME)]


def test_a_webhook_before_the_answer_is_no_second_payment(live: Bench) -> None:
    """F-55: the event overtakes the API's answer."""
    live.pay("1042")
    live.wait_for_events(1, SUCCEEDED)
    before = live.ledger()
    live.work_off()
    assert live.ledger() == before
    assert len(live.payments()) == 1


def test_the_same_events_fifty_times_in_parallel_change_nothing_more(live: Bench) -> None:
    """F9, F-56, PAY-09."""
    pay_without_answer(live)
    live.wait_for_events(1, SUCCEEDED)
    live.settle_down()
    (told,) = [row for row in live.inbox().values() if row.type == SUCCEEDED]
    for _ in range(6):
        in_parallel(8, lambda: process_event(inbox_id=told.pk, now=later()))
        with control_scope():
            type(told).objects.filter(pk=told.pk).update(state="received")
    live.work_off()
    assert len(live.payments()) == 1
    assert live.invoice().paid_cents == 41250
    live.deliver_mail()
    live.deliver_mail()
    assert len(mail.outbox) == 1


def test_a_delivery_repeated_by_stripe_is_one_row(live: Bench) -> None:
    """F9."""
    live.control("faults", webhook=[{"kind": "duplicate", "types": [SUCCEEDED]}])
    live.pay("1042")
    live.wait_for_events(2, SUCCEEDED)
    (row,) = [row for row in live.inbox().values() if row.type == SUCCEEDED]
    assert row.deliveries == 2


@pytest.mark.parametrize("newest_first", [False, True])
def test_events_in_any_order_give_the_same_ledger(live: Bench, newest_first: bool) -> None:
    """F10: created, requires_action, succeeded, charge.updated – each only says: look again."""
    live.control("faults", webhook=[{"kind": "hold", "times": 50}])
    attempt = live.pay("1042", method="pm_card_threeDSecure2Required").attempt
    live.as_bank(attempt, passed=True)
    live.heal()
    released = live.control("release", reverse=newest_first)["released"]
    assert released >= 3
    live.settle_down()
    live.work_off(newest_first=newest_first)
    assert live.attempt(attempt.pk).state == State.SUCCEEDED
    assert [(p.received_cents, p.receipt_no) for p in live.payments()] == [(41250, "R-1101")]
    assert live.invoice().status == "paid"


def test_an_old_failure_that_arrives_late_does_not_undo_a_success(live: Bench) -> None:
    """F10: declined, then paid with another card; the first card's events come last."""
    live.control("faults", webhook=[{"kind": "hold", "types": ["payment_intent.payment_failed", "charge.failed"]}])
    live.pay("1042", method="pm_card_chargeDeclined")
    live.heal()
    live.pay("1042")
    live.wait_for_events(1, SUCCEEDED)
    live.work_off()
    before = live.ledger()
    live.control("release")
    live.wait_for_events(1, "payment_intent.payment_failed")
    live.work_off()
    assert live.ledger() == before


def test_with_every_webhook_lost_the_sweep_reaches_the_same_end(live: Bench) -> None:
    """F11, PAY-11, F-57."""
    live.control("faults", webhook=[{"kind": "drop", "times": 1000}])
    attempt = live.pay("1042", method="pm_card_threeDSecure2Required").attempt
    live.as_bank(attempt, passed=True)
    tasks.sweep_attempts(later(minutes=16))
    with live.acme() as context:
        PaymentAttempt.objects.filter(pk=attempt.pk).update(expires_at=later(minutes=-1))
        resume_open_attempts(context=context)
    assert live.inbox() == {}
    assert live.invoice().status == "paid"


@pytest.mark.parametrize("kind", ["tamper", "stale"])
def test_what_the_network_damages_stripe_sends_again(live: Bench, kind: str) -> None:
    """F12: refused, then repeated with a fresh signature."""
    live.control("faults", webhook=[{"kind": kind, "types": [SUCCEEDED]}])
    pay_without_answer(live)
    live.wait_for_events(1, SUCCEEDED)
    results = [entry["result"] for entry in live.control("state")["deliveries"] if entry["type"] == SUCCEEDED]
    assert results[0] == 400
    live.work_off()
    assert live.invoice().status == "paid"


def test_a_payment_made_outside_is_parked(live: Bench) -> None:
    """payments.md 3c.6: the contractor charged somebody by hand; nobody guesses for which invoice."""
    params: Any = {"amount": 5_000, "currency": "usd", "confirm": True, "return_url": "http://x.example"}
    params["confirmation_token"] = live.token()
    tenant_stripe(live.account).v1.payment_intents.create(params)
    live.wait_for_events(1, SUCCEEDED)
    live.work_off()
    (row,) = [row for row in live.inbox().values() if row.type == SUCCEEDED]
    assert row.state == "parked"
    assert "UnknownIntent" in row.error
    assert live.payments() == []


def test_metadata_of_another_company_opens_nothing(live: Bench) -> None:
    """PAY-08: Globex' account claims Acme's attempt; the account decides, the disagreement is parked."""
    attempt = live.pay("1042", method="pm_card_threeDSecure2Required").attempt
    params: Any = {
        "amount": 41_250,
        "currency": "usd",
        "confirm": True,
        "confirmation_token": live.token(account=live.other_account),
        "metadata": dict(attempt.request["metadata"]),
        "return_url": "http://x.example",
    }
    tenant_stripe(live.other_account).v1.payment_intents.create(params)
    live.wait_for_events(1, SUCCEEDED)
    live.work_off()
    (row,) = [row for row in live.inbox().values() if row.type == SUCCEEDED]
    assert (row.state, row.account_id) == ("parked", live.other_account)
    assert live.attempt(attempt.pk).state == State.REQUIRES_ACTION
    assert live.invoice().paid_cents == 0


def test_a_failing_event_backs_off_and_ends_with_the_operators(live: Bench) -> None:
    """payments.md 3c.7: poison is not tried for ever; replayed by a person it is done."""
    pay_without_answer(live)
    live.wait_for_events(1, SUCCEEDED)
    (told,) = [row for row in live.inbox().values() if row.type == SUCCEEDED]
    live.break_api("500", path="^/v1/payment_intents/", method="GET", times=1000)
    with control_scope():
        type(told).objects.filter(pk=told.pk).update(attempts=MAX_ATTEMPTS - 1)
    process_event(inbox_id=told.pk, now=later())
    row = live.inbox()[told.event_id]
    assert (row.state, row.attempts) == ("failed", MAX_ATTEMPTS)
    live.heal()
    live.work_off()
    assert live.inbox()[told.event_id].state == "failed"
    oscar = Actor("operator", None, "Oscar Ortiz")
    replay_event(inbox_id=told.pk, reason="Stripe is back", by=oscar, now=later())
    live.work_off()
    assert live.inbox()[told.event_id].state == "done"
    assert live.invoice().status == "paid"
    with control_scope():
        assert PlatformAuditEvent.objects.get(action="webhook.replayed").actor_label == "Oscar Ortiz"


def test_an_account_event_refreshes_the_account_by_looking(live: Bench) -> None:
    """F22: the event's body is not believed, Stripe is asked; every process sees it with its next request."""
    with control_scope():
        PaymentAccount.objects.filter(tenant_id=ACME).update(card_payments="restricted")
    with live.running.double.lock:
        finish_onboarding(live.running.double, live.account)
    live.wait_for_events(1, "account.updated")
    live.work_off()
    with live.acme() as context:
        assert context.tenant.payment_account
        assert context.tenant.payment_account.can_charge
    with control_scope():
        assert PlatformAuditEvent.objects.filter(action="payments.account_changed", tenant_id=ACME).count() == 1


def test_a_forgotten_hint_is_found_by_the_sweep(live: Bench) -> None:
    """payments.md 3c.7: the broker carries hints only."""
    pay_without_answer(live)
    live.wait_for_events(1, SUCCEEDED)
    assert due_events(later()) == []
    assert due_events(later(seconds=61)) != []
    tasks.sweep_inbox(later(seconds=61))


def test_with_every_webhook_lost_the_event_list_is_read(live: Bench) -> None:
    """F11, R2: also what no sweep of payments would find, such as an account that lost its rights."""
    live.control("faults", webhook=[{"kind": "drop", "times": 1000}])
    with control_scope():
        PaymentAccount.objects.filter(tenant_id=ACME).update(card_payments="restricted")
    with live.running.double.lock:
        finish_onboarding(live.running.double, live.account)
    pull_all_events(now=later())
    live.work_off()
    with live.acme() as context:
        assert context.tenant.payment_account
        assert context.tenant.payment_account.can_charge
    before = len(live.inbox())
    pull_all_events(now=later())
    assert len(live.inbox()) == before
    assert {row.deliveries for row in live.inbox().values()} == {2}


def refund_by_hand(bench: Bench, amount: int) -> None:
    """Refund in Stripe's own dashboard."""
    (payment,) = bench.payments()
    params: Any = {"payment_intent": payment.stripe_pi_id, "amount": amount}
    tenant_stripe(bench.account).v1.refunds.create(params)


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_refund_made_by_hand_arrives_by_webhook_once(live: Bench, newest_first: bool) -> None:
    """F21, F9, F10: refund.created and charge.refunded, in any order and again: one refund."""
    live.pay("1042")
    refund_by_hand(live, 10_000)
    live.wait_for_events(1, "refund.created")
    live.settle_down()
    live.work_off(newest_first=newest_first)
    before = live.ledger()
    for row in live.inbox().values():
        live.control("redeliver", event=row.event_id)
        with control_scope():
            type(row).objects.filter(pk=row.pk, type__contains="refund").update(state="received")
    live.settle_down()
    live.work_off(newest_first=newest_first)
    assert live.ledger() == before
    assert [(r.origin, r.amount_cents) for r in live.refunds()] == [("dashboard", 10_000)]
    assert live.invoice().balance_cents == 10_000


@pytest.mark.parametrize("heard", ["refund.created", "charge.refunded"])
def test_a_refund_is_known_before_its_payment(live: Bench, heard: str) -> None:
    """F10: the answer to the payment was lost, and the first thing we hear of it is its refund, by either event."""
    unheard = [SUCCEEDED, "charge.updated", "refund.created", "charge.refunded"]
    unheard.remove(heard)
    live.control("faults", webhook=[{"kind": "drop", "types": unheard, "times": 9}])
    live.break_api("timeout_after", times=3, seconds=0.01)
    attempt = live.pay("1042").attempt
    (intent,) = live.intents()
    params: Any = {"payment_intent": intent.id, "amount": 10_000}
    tenant_stripe(live.account).v1.refunds.create(params)
    live.wait_for_events(1, heard)
    live.settle_down()
    live.work_off()
    assert "parked" not in {row.state for row in live.inbox().values()}
    assert live.attempt(attempt.pk).state == State.SUCCEEDED
    assert live.invoice().balance_cents == 10_000


def test_a_debits_refund_is_told_before_that_it_came_in(live: Bench) -> None:
    """F10, F14: we know of the debit, not that its money came; its refund is worked off at the first try."""
    live.pay("1042", method="pm_usBankAccount_success")
    live.settle_down()
    live.work_off()
    live.control("faults", webhook=[{"kind": "drop", "types": [SUCCEEDED, "charge.updated"], "times": 9}])
    live.control("advance", days=5)
    refund_by_hand(live, 10_000)
    live.wait_for_events(1, "refund.created")
    live.settle_down()
    live.work_off()
    assert {row.state for row in live.inbox().values()} <= {"done", "ignored"}
    assert [(refund.origin, refund.amount_cents) for refund in live.refunds()] == [("dashboard", 10_000)]
    assert live.invoice().balance_cents == 10_000


def test_a_refund_that_fails_later_arrives_by_webhook(live: Bench) -> None:
    """F18: also when the failure is told before anything else of the refund."""
    live.pay("1042", method="pm_card_refundFail")
    live.refund()
    live.control("advance", days=4)
    live.wait_for_events(1, "refund.failed")
    live.settle_down()
    live.work_off(newest_first=True)
    assert live.invoice().status == "paid"
    assert [r.state for r in live.refunds()] == ["failed"]


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_disputes_events_in_any_order_give_the_same_ledger(live: Bench, newest_first: bool) -> None:
    """F10, F17: created, funds_withdrawn, funds_reinstated, closed – each only says: look again."""
    live.control("faults", webhook=[{"kind": "hold", "times": 50}])
    live.pay("1042", method="pm_card_createDispute")
    (dispute,) = tenant_stripe(live.account).v1.disputes.list({}).data
    params: Any = {"evidence": {"uncategorized_text": "winning_evidence"}}
    tenant_stripe(live.account).v1.disputes.update(dispute.id, params)
    live.heal()
    live.control("release", reverse=newest_first)
    live.settle_down()
    arrived = "four events of the dispute"
    wait_until(lambda: sum(r.type.startswith("charge.dispute.") for r in live.inbox().values()) == 4, arrived)
    live.work_off(newest_first=newest_first)
    assert [(p.status, p.disputed_out_cents) for p in live.payments()] == [("won", 0)]
    assert live.invoice().status == "paid"
    disputes = [row for row in live.inbox().values() if row.type.startswith("charge.dispute.")]
    assert {row.state for row in disputes} == {"done"}
    assert len(disputes) == 4
