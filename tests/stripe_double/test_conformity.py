"""Everything the double takes and says is as Stripe's published document describes it, and the check would see it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import stripe

from infra.stripe_double.errors import Json, StripeError
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


REFUSALS: list[tuple[str, Json, bool]] = [
    ("/v1/refunds", {"error": {"type": "api_error", "message": "No."}}, True),
    ("/v1/refunds", {"error": {"type": "sorry"}}, False),
    ("/v1/refunds", {"error": {"type": "api_error", "excuse": "No."}}, False),
    ("/v1/refunds", {"error": {"message": "No."}}, False),
    ("/v1/refunds", {"message": "No."}, False),
    ("/v2/core/accounts", {"error": {"code": "not_found", "message": "No."}}, True),
    ("/v2/core/accounts", {"error": {"code": "some_other_reason", "message": "No.", "type": "sorry"}}, True),
    ("/v2/core/accounts", {"error": {"code": "not_found", "message": "No.", "param": "id"}}, False),
    ("/v2/core/accounts", {"error": {"code": "some_other_reason"}}, False),
    ("/v2/core/accounts", {"error": {"type": "invalid_request_error", "message": "No."}}, False),
    ("/v2/core/accounts", {"error": {"code": "account_rate_limit_exceeded", "message": "Slow."}}, False),
    ("/v2/core/accounts", {"error": "No."}, False),
]


@pytest.mark.parametrize(("path", "body", "is_stripes"), REFUSALS)
def test_a_refusal_in_other_words_than_stripes_is_seen(
    witness: Conformity, path: str, body: Json, is_stripes: bool
) -> None:
    assert (list(witness.of_error(path, body)) == []) == is_stripes


def test_a_refused_request_is_held_to_the_document_too(witness: Conformity) -> None:
    """Refused for what it asks: a declined card, an object that is not there, a key in use."""
    assert list(witness.of_request("POST", "/v1/refunds", {"payment_intent": "pi_1"})) == []
    (found,) = witness.of_request("POST", "/v1/refunds", {"payment_intent": "pi_1", "why": "because"})
    assert "'why' was unexpected" in found


BROKEN: list[tuple[str, str, Json, int]] = [
    ("get", "/v1/payment_intents/pi_none", {}, 404),
    ("post", "/v1/payment_intents", {"amount": "much"}, 400),
    ("post", "/v1/refunds", {"payment_intent": "pi_none"}, 404),
    ("get", "/v1/customers/cus_none", {}, 404),
    ("get", "/v2/core/accounts/acct_none", {}, 404),
    ("post", "/v2/core/account_links", {"account": "acct_none"}, 400),
    ("get", "/v1/nothing_of_the_kind", {}, 404),
]


@pytest.mark.parametrize(("method", "path", "params", "status"), BROKEN)
def test_what_the_double_refuses_it_refuses_in_stripes_words(
    bench: Bench, method: str, path: str, params: Json, status: int
) -> None:
    """The fixture fails at the end if a single refusal was not as the document has it; here each is one first."""
    answer = raw(bench, method, path, params)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["message"]
    assert ("type" in error) == path.startswith("/v1/")


@pytest.mark.parametrize("path", ["/v1/customers", "/v2/core/accounts"])
@pytest.mark.parametrize("kind", ["500", "503", "429", "409", "500_after", "500_saved"])
def test_what_is_broken_on_purpose_speaks_stripes_words(bench: Bench, kind: str, path: str) -> None:
    bench.control("faults", api=[{"kind": kind, "path": f"^{path}"}])
    answer = raw(bench, "post", path, {"email": "a@example.com"} if path.startswith("/v1/") else V2_ACCOUNT)
    assert answer.status_code == int(kind[:3])
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/payment_intents/pi_none", "/v2/core/accounts/acct_none"])
def test_a_refusal_that_is_spoilt_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Seen to see: an answer with a word that Stripe does not have is a violation."""

    def spoilt(error: StripeError, path: str) -> Json:
        return {"error": {**error.body["error"], "mood": "sorry"}}

    monkeypatch.setattr(StripeError, "body_for", spoilt)
    raw(bench, "get", path, {})
    violations = bench.running.double.store.violations
    assert any("'mood'" in each for each in violations), violations
    violations.clear()


def test_a_request_that_is_refused_and_malformed_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to see: were the double to let an unknown parameter pass, the document would not."""
    monkeypatch.setattr("infra.stripe_double.api.check_params", lambda kind, params: dict(params))
    raw(bench, "post", "/v1/refunds", {"payment_intent": "pi_none", "why": "because"})
    violations = bench.running.double.store.violations
    assert any("POST /v1/refunds, request" in each and "'why'" in each for each in violations), violations
    violations.clear()


V2_ACCOUNT = {"contact_email": "a@example.com", "identity": {"country": "us"}}


def raw(bench: Bench, method: str, path: str, params: Json) -> requests.Response:
    """Send a request past the SDK, which would refuse or repeat it."""
    is_v2 = path.startswith("/v2/")
    return requests.request(
        method,
        f"http://127.0.0.1:{bench.running.double.port}{path}",
        data=None if is_v2 else params,
        json=params if is_v2 and method == "post" else None,
        headers={"Authorization": "Bearer sk_test_porchlight", "Stripe-Version": "2026-10-28.endive"},
        timeout=10,
    )
