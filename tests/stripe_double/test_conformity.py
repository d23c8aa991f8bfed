"""Everything the double takes and says is as Stripe's published document describes it, and the check would see it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from infra.stripe_double.errors import Json
from infra.stripe_double.routing import ROUTES
from infra.stripe_double.sdk_types import OBJECT_TYPES
from infra.stripe_double.spec.conformity import Conformity
from infra.stripe_double.spec.document import KEPT, anonymous, load
from infra.stripe_double.spec.operations import NEXT, UNPUBLISHED
from infra.stripe_double.spec.prune import as_lines, prune
from infra.stripe_double.templates import NAMES

from .bench import Bench, pay


@pytest.fixture(scope="module")
def witness() -> Conformity:
    """What every double of the tests is held by."""
    return Conformity()


def test_the_kept_document_has_every_operation_of_the_double_and_nothing_else() -> None:
    """A new operation needs Stripe's description of it: add it to spec/operations.py and run spec/prune.py."""
    served = {(route.method, anonymous(route.template)) for route in ROUTES} - UNPUBLISHED
    kept = {(method.upper(), anonymous(path)) for path, item in load()["paths"].items() for method in item}
    assert served <= kept
    assert kept - served <= {(method, anonymous(path)) for method, path in NEXT}


def test_the_kept_document_is_what_the_tool_makes_of_it() -> None:
    """Cut again it stays the same; it is small, and says whose it is."""
    text = KEPT.read_text(encoding="utf-8")
    document = json.loads(text)
    wanted = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    again = {**prune([document], wanted), "info": document["info"]}
    assert as_lines(again) == text
    assert len(text) < 1_500_000
    assert "Stripe, Inc." in document["info"]["license"]["name"]
    assert "Stripe, Inc." in KEPT.with_name("LICENSE").read_text(encoding="utf-8")


def test_every_kind_of_object_has_its_description() -> None:
    names = {NAMES.get(kind, kind) for kind in OBJECT_TYPES}
    assert names <= set(load()["components"]["schemas"])


CARRIED_OUT: list[tuple[Json, str]] = [
    ({"amount": 100, "currency": "usd"}, ""),
    ({"amount": "much", "currency": "usd"}, 'amount: "much" is not of type "integer"'),
    ({"currency": "usd"}, '(all of it): "amount" is a required property'),
    ({"amount": 1, "currency": "usd", "colour": "red"}, "'colour' was unexpected"),
    ({"amount": 1, "currency": "usd", "payment_method_types": ["card"]}, "'payment_method_types' was unexpected"),
    ({"amount": 1, "currency": "usd", "capture_method": "later"}, 'capture_method: "later" is not one of'),
]


@pytest.mark.parametrize(("params", "told"), CARRIED_OUT)
def test_a_request_that_stripe_would_refuse_is_seen(witness: Conformity, params: Json, told: str) -> None:
    refused = {"error": {"type": "invalid_request_error", "message": "No."}}
    found = list(witness.of_exchange("POST", "/v1/payment_intents", params, 402, refused))
    assert len(found) == bool(told)
    assert all(told in each and "request" in each for each in found)


def test_an_operation_that_stripe_does_not_have_is_seen(witness: Conformity) -> None:
    (found,) = witness.of_exchange("POST", "/v1/payment_wishes", {}, 200, {})
    assert "no such operation" in found


def spoil(bench: Bench, kind: str, **fields: Any) -> list[str]:
    """Change a stored object, have it read, and take note of what is seen."""
    double = bench.running.double
    with double.lock:
        for book in double.store.books.values():
            for stored in book.kind(kind).values():
                stored.update(fields)
    return double.store.violations


SPOILT: list[tuple[Json, str]] = [
    ({"amount": "12500"}, '"12500" is not of type "integer"'),
    ({"amount": None}, 'amount: null is not of type "integer"'),
    ({"status": "paid"}, 'status: "paid" is not one of'),
    ({"colour": "red"}, "'colour' was unexpected"),
    ({"metadata": {"tenant": 5}}, "metadata.tenant"),
    ({"outcome": {"type": "authorized", "mood": "fine"}}, "outcome: Additional properties"),
]


@pytest.mark.parametrize(("fields", "told"), SPOILT)
def test_an_answer_that_stripe_would_not_give_is_seen(
    bench: Bench, client: stripe.StripeClient, fields: Json, told: str
) -> None:
    account = bench.account(client)
    charge = str(pay(client, account).latest_charge)
    violations = spoil(bench, "charge", **fields)
    assert violations == []
    client.v1.charges.retrieve(charge, {}, {"stripe_account": account})
    assert any("GET /v1/charges/{charge}, answer 200" in each and told in each for each in violations), violations
    violations.clear()


def test_a_key_that_stripe_always_sends_is_missed(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    intent = pay(client, account)
    double = bench.running.double
    with double.lock:
        del double.store.books[account].kind("payment_intent")[intent.id]["status"]
    client.v1.payment_intents.retrieve(intent.id, {}, {"stripe_account": account})
    assert any('"status" is a required property' in each for each in double.store.violations)
    double.store.violations.clear()


@pytest.mark.parametrize(
    ("event_type", "fields", "told"),
    [
        ("payment_intent.paid", {}, "Stripe has no such type"),
        ("payment_intent.succeeded", {"amount": "5"}, "amount"),
        ("payment_intent.succeeded", {"object": "payment_wish"}, "no object payment_wish"),
    ],
)
def test_an_event_that_stripe_would_not_send_is_seen(
    bench: Bench, client: stripe.StripeClient, event_type: str, fields: Json, told: str
) -> None:
    account = bench.account(client)
    intent = pay(client, account)
    double = bench.running.double
    with double.lock:
        scope = double.scope(account)
        scope.emit(event_type, {**scope.find("payment_intent", intent.id), **fields})
    assert any(event_type in each and told in each for each in double.store.violations)
    double.store.violations.clear()


def test_a_refusal_in_other_words_than_stripes_is_seen(witness: Conformity) -> None:
    assert list(witness.of_error({"error": {"type": "api_error", "message": "No."}})) == []
    assert list(witness.of_error({"error": {"type": "sorry"}})) != []
    assert list(witness.of_error({"error": {"type": "api_error", "excuse": "No."}})) != []
