"""Stripe is down for a while: pages say so, jobs wait, nothing is lost, and it goes on by itself (F23)."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
import stripe

from infra.breaker import FAILURES
from infra.stripe_client import BREAKER, StripeAway, is_stripe_away, tenant_stripe
from portal.methods.services.changing import resume_methods
from portal.payments import errors
from portal.payments.models import PaymentAttempt, PaymentMethod
from portal.payments.services.settle import resume_attempts
from tests.portal.methods.keeping import keep
from tests.webhooks.test_receiving import deliver, event
from webhooks.services.process import due_events, process_event
from webhooks.tasks import sweep_attempts

from .bench import ANY_INTENT, Bench, later

State, Method = PaymentAttempt.State, PaymentMethod.State
ALL = "^/v1/"


class Outage:
    """Stripe's outage and the breaker's clock."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.seconds = 0.0

    def begin(self) -> None:
        """Let every call fail, and make as many as it takes to notice."""
        for method in ("GET", "POST"):
            self.bench.break_api("503", path=ALL, method=method, times=10_000)
        for _ in range(FAILURES):
            with pytest.raises(stripe.StripeError):
                tenant_stripe(self.bench.account).v1.payment_intents.list({"limit": 1})

    def end(self, *, after: float) -> None:
        """Let Stripe answer again, and the breaker's rest pass."""
        self.bench.heal()
        self.seconds += after

    def calls(self) -> int:
        """Return how many requests have reached Stripe."""
        return len(self.bench.control("state")["requests"])


@pytest.fixture
def outage(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outage]:
    """A breaker as in the product, with a clock set by hand."""
    made = Outage(bench)
    monkeypatch.setattr(BREAKER, "failures", FAILURES)
    monkeypatch.setattr(BREAKER, "clock", lambda: made.seconds)
    BREAKER.close()
    yield made
    bench.heal()
    BREAKER.close()


def test_a_stripe_that_does_not_answer_is_not_asked_any_more(outage: Outage) -> None:
    outage.begin()
    before = outage.calls()
    with pytest.raises(StripeAway):
        tenant_stripe(outage.bench.account).v1.payment_intents.list({"limit": 1})
    assert outage.calls() == before


def test_the_pay_page_says_not_now_and_the_portal_goes_on(outage: Outage) -> None:
    alice = outage.bench.browser()
    url = f"/pay/{outage.bench.invoice().pk}"
    assert "Pay $412.50" in alice.get(url).content.decode()
    outage.begin()
    page = alice.get(url).content.decode()
    assert "Card payments don’t work right now" in page
    assert "Try again in a few minutes" in page
    assert "Not now" in page
    assert "payment-element" not in page
    assert "1042" in alice.get("/invoices/").content.decode()
    outage.end(after=11)
    assert "Pay $412.50" in alice.get(url).content.decode()


def test_whoever_presses_pay_is_told_at_once_and_nothing_is_reserved(outage: Outage) -> None:
    token = outage.bench.token()
    outage.begin()
    with pytest.raises(errors.StripeIsAway):
        outage.bench.pay(token=token)
    assert outage.bench.invoice().reserved_cents == 0
    outage.end(after=11)
    assert outage.bench.pay(token=token).attempt.state == State.SUCCEEDED
    assert outage.bench.charged() == 41250


def test_a_payment_that_stripe_was_never_asked_for_is_over_and_not_in_doubt(
    outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the call Stripe went away: the payer may go on at once with another try."""
    token = outage.bench.token()
    outage.bench.pay("1043")
    outage.begin()
    monkeypatch.setattr("portal.payments.services.submit.is_stripe_away", lambda: False)
    attempt = outage.bench.pay(token=token).attempt
    assert (attempt.state, attempt.failure_code) == (State.FAILED, "not_now")
    assert outage.bench.invoice().reserved_cents == 0
    outage.end(after=11)
    assert outage.bench.pay(token=token).attempt.state == State.SUCCEEDED
    assert outage.bench.charged() == 41250 + 12900


def test_a_card_that_stripe_was_never_asked_to_keep_is_over_and_not_in_doubt(outage: Outage) -> None:
    """F23: the same for a method on file; what was asked before the outage stays in doubt and is found after it."""
    outage.bench.pay("1043")
    first, second = outage.bench.token(), outage.bench.token()
    outage.bench.break_api("500_after", path="^/v1/setup_intents", times=1)
    outage.bench.break_api("503", path="^/v1/setup_intents", times=2)
    in_doubt = keep(outage.bench, token=first).row
    outage.bench.heal()
    outage.begin()
    never_sent = keep(outage.bench, token=second).row
    assert (never_sent.state, never_sent.failure_code) == (Method.FAILED, "not_now")
    with outage.bench.acme() as context:
        resume_methods(context=context, now=later())
    outage.end(after=11)
    with outage.bench.acme() as context:
        assert PaymentMethod.objects.get(pk=in_doubt.pk).state == Method.ADDING
        resume_methods(context=context, now=later())
        assert PaymentMethod.objects.get(pk=in_doubt.pk).state == Method.ACTIVE
        assert PaymentMethod.objects.get(pk=never_sent.pk).state == Method.FAILED


def test_a_payment_in_doubt_stays_reserved_through_the_outage_and_is_settled_after_it(outage: Outage) -> None:
    """F1, F23: the answer was lost, so the money may have moved; nobody may pay the invoice again meanwhile."""
    outage.bench.break_api("500_after", times=1)
    outage.bench.break_api("503", path=ANY_INTENT, times=2)
    attempt = outage.bench.pay().attempt
    assert attempt.state == State.UNKNOWN
    outage.bench.heal()
    outage.begin()
    before = outage.calls()
    sweep_attempts(later(minutes=2))
    assert outage.calls() == before
    assert outage.bench.attempt(attempt.pk).state == State.UNKNOWN
    assert outage.bench.invoice().reserved_cents == 41250
    outage.end(after=11)
    with outage.bench.acme() as context:
        resume_attempts(context=context, now=later(minutes=2))
    assert outage.bench.attempt(attempt.pk).state == State.SUCCEEDED
    assert outage.bench.charged() == 41250


def test_events_wait_without_using_up_their_tries(outage: Outage) -> None:
    import json

    outage.bench.pay()
    intent = outage.bench.intents()[0].id
    outage.begin()
    told = event(outage.bench, data={"object": {"id": intent, "object": "payment_intent"}})
    assert deliver(json.dumps(told).encode()) == 200
    for _ in range(20):
        for inbox_id in due_events(later(minutes=2)):
            process_event(inbox_id=inbox_id, now=later())
    (row,) = outage.bench.inbox().values()
    assert (row.state, row.attempts) == ("received", 0)
    outage.end(after=11)
    outage.bench.work_off()
    (row,) = outage.bench.inbox().values()
    assert (row.state, row.attempts) == ("done", 1)


def test_it_recovers_by_itself_by_one_call_that_tries_first(outage: Outage) -> None:
    outage.begin()
    outage.seconds += 11
    with pytest.raises(stripe.APIError):
        tenant_stripe(outage.bench.account).v1.payment_intents.list({"limit": 1})
    assert is_stripe_away()
    outage.end(after=21)
    assert not is_stripe_away()
    tenant_stripe(outage.bench.account).v1.payment_intents.list({"limit": 1})
    assert BREAKER.may_call()


def test_declines_and_refusals_are_answers(outage: Outage) -> None:
    for _ in range(FAILURES + 1):
        with pytest.raises(stripe.InvalidRequestError):
            tenant_stripe(outage.bench.account).v1.payment_intents.retrieve("pi_nobodys")
    assert not is_stripe_away()


def test_an_error_that_is_replayed_under_its_key_says_nothing_about_today(outage: Outage) -> None:
    """F4: a saved 500 comes back for ever; it must not keep everybody else from paying."""
    params = {"name": "Alice"}
    key = {"idempotency_key": str(UUID(int=7))}
    outage.bench.break_api("500_saved", path="^/v1/customers")
    for _ in range(FAILURES + 2):
        with pytest.raises(stripe.APIError):
            tenant_stripe(outage.bench.account).v1.customers.create(params, key)  # type: ignore[arg-type]
    assert not is_stripe_away()
