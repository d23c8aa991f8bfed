"""Lost answers, repeated keys, repeated and broken webhooks, restarts."""

from __future__ import annotations

import json
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import stripe

from infra.stripe_double.double import Double
from infra.stripe_double.server import RunningDouble

from .bench import CONNECT_SECRET, PLATFORM_SECRET, Bench, Inbox, pay, token_for, wait_until

CREATE = "^/v1/payment_intents$"


def test_the_same_key_replays_the_same_payment(bench: Bench, client: stripe.StripeClient) -> None:
    """F5: eight parallel submits of one attempt make one payment."""
    account = bench.account(client)
    token = token_for(client, account)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(pay, client, account, key="attempt-1", confirmation_token=token) for _ in range(8)]
        ids = {call.result().id for call in calls}
    assert len(ids) == 1
    again: Any = pay(client, account, key="attempt-1", confirmation_token=token)
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.charges.list({}, {"stripe_account": account}).data) == 1


def test_the_same_key_with_other_parameters_is_an_error(bench: Bench, client: stripe.StripeClient) -> None:
    """F7."""
    account, other = bench.account(client), bench.account(client)
    token = token_for(client, account)
    pay(client, account, key="attempt-1", confirmation_token=token)
    with pytest.raises(stripe.IdempotencyError):
        pay(client, account, key="attempt-1", confirmation_token=token, amount=12_600)
    assert pay(client, other, key="attempt-1").status == "succeeded", "keys are separate per account"


def test_a_key_is_forgotten_after_a_day(bench: Bench, client: stripe.StripeClient) -> None:
    """F4: whoever repeats a call later than that makes another one; looking is all that is left then."""
    account = bench.account(client)
    params: Any = {"email": "a@example.com"}
    options: Any = {"stripe_account": account, "idempotency_key": "customer-1"}
    first = client.v1.customers.create(params, options)
    bench.control("advance", seconds=23 * 3600)
    assert client.v1.customers.create(params, options).id == first.id
    bench.control("advance", seconds=3600)
    assert client.v1.customers.create(params, options).id != first.id


def test_declines_are_replayed_and_validation_errors_not(bench: Bench, client: stripe.StripeClient) -> None:
    """F8: another card needs a new key; a corrected request does not."""
    account = bench.account(client)
    token = token_for(client, account, "pm_card_chargeDeclined")
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            pay(client, account, key="attempt-1", confirmation_token=token)
    assert caught.value.headers is not None
    assert caught.value.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.charges.list({}, {"stripe_account": account}).data) == 1
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, account, key="attempt-2", amount=10)
    assert pay(client, account, key="attempt-2").status == "succeeded"


@pytest.mark.parametrize("kind", ["timeout_after", "500_after", "reset", "500", "503", "409"])
def test_a_lost_answer_leads_to_one_charge(bench: Bench, client: stripe.StripeClient, kind: str) -> None:
    """F1, F3: the SDK's own retry finds the payment made."""
    account = bench.account(client)
    token = token_for(client, account)
    bench.control("faults", api=[{"kind": kind, "path": CREATE, "seconds": 0.1}])
    assert pay(client, account, confirmation_token=token).status == "succeeded"
    assert len(client.v1.charges.list({}, {"stripe_account": account}).data) == 1
    log = [entry for entry in bench.control("state")["requests"] if entry["path"] == "/v1/payment_intents"]
    assert [entry["fault"] for entry in log] == [kind, None]
    assert len({entry["idempotency_key"] for entry in log}) == 1
    assert log[1]["replayed"] == kind.endswith("_after")


def test_a_saved_500_comes_back_for_ever_though_the_payment_was_made(bench: Bench, client: stripe.StripeClient) -> None:
    """F4: only looking it up helps."""
    account = bench.account(client)
    token = token_for(client, account)
    bench.control("faults", api=[{"kind": "500_saved", "path": CREATE}])
    with pytest.raises(stripe.APIError):
        pay(client, account, key="attempt-1", confirmation_token=token)
    (found,) = client.v1.payment_intents.list({}, {"stripe_account": account}).data
    assert found.status == "succeeded"


def test_an_unknown_fault_is_refused(bench: Bench) -> None:
    with pytest.raises(urllib.error.HTTPError):
        bench.control("faults", api=[{"kind": "tiemout"}])


def test_webhooks_verify_and_name_their_account(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    intent = pay(client, account)
    bench.inbox.wait_for("payment_intent.succeeded")
    bench.inbox.wait_for("application_fee.created")
    secrets = {"/connect": CONNECT_SECRET, "/platform": PLATFORM_SECRET}
    for path, body, signature in bench.inbox.received:
        event: Any = stripe.Webhook.construct_event(body, signature, secrets[path])
        assert ("account" in event) == (path == "/connect")
        if event.type == "payment_intent.succeeded":
            assert (event.account, event.data.object.id) == (account, intent.id)
    stored = client.v1.events.list({"type": "payment_intent.succeeded"}, {"stripe_account": account}).data
    assert [event.data.object["id"] for event in stored] == [intent.id]


def test_a_duplicate_arrives_twice_with_one_id(bench: Bench, client: stripe.StripeClient) -> None:
    """F9."""
    account = bench.account(client)
    bench.control("faults", webhook=[{"kind": "duplicate", "types": ["payment_intent.succeeded"]}])
    pay(client, account)
    first, second = bench.inbox.wait_for("payment_intent.succeeded", 2)
    assert first["id"] == second["id"]


def test_held_events_are_released_in_reverse(bench: Bench, client: stripe.StripeClient) -> None:
    """F10."""
    account = bench.account(client)
    types = ["payment_intent.created", "payment_intent.succeeded"]
    bench.control("faults", webhook=[{"kind": "hold", "types": types, "times": 2}])
    pay(client, account)
    bench.inbox.wait_for("charge.succeeded")
    assert bench.control("release", reverse=True) == {"released": 2}
    bench.inbox.wait_for("payment_intent.created")
    order = [json.loads(body)["type"] for _, body, _ in bench.inbox.received]
    assert order.index("payment_intent.succeeded") < order.index("payment_intent.created")


@pytest.mark.parametrize("kind", ["tamper", "stale"])
def test_a_broken_delivery_does_not_verify(bench: Bench, client: stripe.StripeClient, kind: str) -> None:
    """F12."""
    account = bench.account(client)
    bench.control("faults", webhook=[{"kind": kind, "types": ["payment_intent.succeeded"]}])
    pay(client, account)
    bench.inbox.wait_for("payment_intent.succeeded")
    (broken,) = bench.inbox.deliveries("payment_intent.succeeded")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(broken[1], broken[2], CONNECT_SECRET)


def test_a_dropped_event_is_listed_and_can_be_sent_again(bench: Bench, client: stripe.StripeClient) -> None:
    """F11."""
    account = bench.account(client)
    bench.control("faults", webhook=[{"kind": "drop", "types": ["payment_intent.succeeded"]}])
    pay(client, account)
    bench.inbox.wait_for("charge.succeeded")
    missed = client.v1.events.list({"delivery_success": False}, {"stripe_account": account}).data
    (event,) = [row for row in missed if row.type == "payment_intent.succeeded"]
    assert bench.inbox.events("payment_intent.succeeded") == []
    assert bench.control("redeliver", event=event.id) == {"queued": 1}
    bench.inbox.wait_for("payment_intent.succeeded")


def test_a_refused_delivery_is_tried_again_with_a_fresh_signature(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    bench.inbox.status = 500
    pay(client, account)
    bench.inbox.wait_for("payment_intent.succeeded", 3)
    bench.inbox.status = 200
    tries = bench.inbox.deliveries("payment_intent.succeeded")
    assert len({signature for _, _, signature in tries}) >= 2
    wait_until(
        lambda: not client.v1.events.list({"delivery_success": False}, {"stripe_account": account}).data,
        "every event delivered",
    )


def test_a_delivery_is_outstanding_until_it_is_answered(bench: Bench, client: stripe.StripeClient) -> None:
    """Who waits for "nothing left to deliver" finds everything in the inbox, the last event too."""
    _send_once_more_and_hold(bench, client)
    assert bench.control("state")["webhooks"]["queued"] == 1
    bench.inbox.may_answer.set()
    wait_until(lambda: bench.control("state")["webhooks"]["queued"] == 0, "answered")


def test_a_delivery_from_before_a_reset_is_not_tried_again(bench: Bench, client: stripe.StripeClient) -> None:
    bench.inbox.status = 500
    event_id = _send_once_more_and_hold(bench, client)
    bench.control("reset")
    bench.inbox.status = 200
    bench.inbox.may_answer.set()
    pay(client, bench.account(client))
    bench.inbox.wait_for("payment_intent.succeeded", 3)
    wait_until(lambda: bench.control("state")["webhooks"]["queued"] == 0, "everything delivered")
    assert [event["id"] for event in bench.inbox.events("payment_intent.succeeded")].count(event_id) == 2
    assert all(row["event"] != event_id for row in bench.control("state")["deliveries"])


def _send_once_more_and_hold(bench: Bench, client: stripe.StripeClient) -> str:
    """Deliver a payment's event a second time, alone, to a receiver that has taken but not answered it."""
    status, bench.inbox.status = bench.inbox.status, 200
    pay(client, bench.account(client))
    (event,) = bench.inbox.wait_for("payment_intent.succeeded")
    wait_until(lambda: bench.control("state")["webhooks"]["queued"] == 0, "everything delivered")
    bench.inbox.status = status
    bench.inbox.may_answer.clear()
    bench.control("redeliver", event=event["id"])
    bench.inbox.wait_for("payment_intent.succeeded", 2)
    return str(event["id"])


def test_a_restart_keeps_accounts_payments_and_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe, "enable_telemetry", False)

    def started() -> Bench:
        double = Double(public_host="localhost", port=0, element_port=0, state_file=tmp_path / "state.json")
        running = RunningDouble(double)
        running.start()
        return Bench(running, Inbox())

    bench = started()
    account = bench.account(bench.client())
    token = token_for(bench.client(), account)
    intent = pay(bench.client(), account, key="attempt-1", confirmation_token=token)
    bench.running.stop()
    bench = started()
    replayed: Any = pay(bench.client(), account, key="attempt-1", confirmation_token=token)
    assert replayed.id == intent.id
    assert replayed.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(bench.client().v1.charges.list({}, {"stripe_account": account}).data) == 1
    bench.running.stop()
