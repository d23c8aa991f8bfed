"""Lost answers, crashes between the phases, sweeps: one charge and the truth, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
import stripe
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.db.models import F

from infra.stripe_client import NetworkInTransaction, tenant_stripe
from portal.invoices.models import Invoice
from portal.payments import intents
from portal.payments.errors import IntentDisagrees
from portal.payments.intents import AnswerUnknown, KeyMisused
from portal.payments.models import Credit, Journal, PaymentAttempt
from portal.payments.services import posting, submit
from portal.payments.services.posting import apply_intent
from portal.payments.services.settle import resume_attempts, settle_attempt
from tenants.context import TenantContext
from tests.parallel import in_parallel

from .bench import ANY_INTENT, CREATE, Bench, later

State = PaymentAttempt.State


class Killed(BaseException):
    """Stands for the end of the process: nothing in the product catches it."""


def die(*_: Any, **__: Any) -> Any:
    raise Killed


def sweep(bench: Bench, **delta: float) -> None:
    """Let the sweeper find what is open, at a later moment."""
    with bench.acme() as context:
        resume_attempts(context=context, now=later(**delta))


@pytest.mark.parametrize("kind", ["timeout_after", "500_after", "reset", "503", "409"])
def test_one_lost_answer_is_made_up_for_by_the_client(bench: Bench, kind: str) -> None:
    """F1, F3, F-50: the SDK's own retry carries the same key."""
    bench.break_api(kind, seconds=0.05)
    assert bench.pay("1042").attempt.state == State.SUCCEEDED
    keys = {entry["idempotency_key"] for entry in bench.requests_to("/v1/payment_intents")}
    assert len(bench.requests_to("/v1/payment_intents")) == 2
    assert len(keys) == 1
    assert bench.charged() == 41250


@pytest.mark.parametrize("kind", ["timeout_after", "500_after", "500_saved"])
def test_a_payment_made_without_any_answer_is_found(bench: Bench, kind: str) -> None:
    """F1, F3, F4, F-52: unknown, not failed; the same key, and where that replays an error, looking it up."""
    bench.break_api(kind, times=3, seconds=0.01)
    attempt = bench.pay("1042").attempt
    assert attempt.state == State.UNKNOWN
    assert bench.invoice().reserved_cents == 41250
    with bench.acme() as context:
        settled = settle_attempt(context=context, attempt_id=attempt.pk, now=later(seconds=5))
    assert settled.attempt.state == State.SUCCEEDED
    assert len(bench.intents()) == 1
    assert bench.charged() == 41250


def test_while_stripe_is_down_nothing_is_lost_and_nothing_is_paid_twice(bench: Bench) -> None:
    """F23, F-64: the portal says so; the sweeper ends it."""
    token = bench.token()
    bench.pay("1043")
    bench.break_api("503", path=ANY_INTENT, times=1000)
    bench.break_api("503", path=ANY_INTENT, method="GET", times=1000)
    attempt = bench.pay("1042", token=token).attempt
    assert attempt.state == State.UNKNOWN
    sweep(bench, minutes=2)
    assert bench.attempt(attempt.pk).state == State.UNKNOWN
    bench.heal()
    sweep(bench, minutes=3)
    assert bench.attempt(attempt.pk).state == State.SUCCEEDED
    assert bench.charged() == 41250 + 12900


def test_a_reservation_ends_when_stripe_provably_knows_nothing(bench: Bench) -> None:
    """PAY-06, F-53: after its end a payment is looked for, never posted again."""
    token = bench.token()
    bench.break_api("503", path=ANY_INTENT, times=1000)
    attempt = bench.pay("1042", token=token).attempt
    bench.heal()
    sweep(bench, minutes=16)
    assert bench.attempt(attempt.pk).state == State.EXPIRED
    assert bench.invoice().reserved_cents == 0
    assert bench.intents() == []


def test_killed_before_the_call_the_sweeper_pays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-51: after P1; within a minute the call may still be in the air, so nobody repeats it."""
    with monkeypatch.context() as patched:
        patched.setattr(intents, "create_intent", die)
        with pytest.raises(Killed):
            bench.pay("1042")
    assert bench.intents() == []
    assert bench.invoice().reserved_cents == 41250
    sweep(bench, seconds=10)
    assert bench.intents() == []
    sweep(bench, seconds=61)
    assert bench.charged() == 41250
    assert bench.invoice().status == "paid"


def test_killed_after_the_call_the_sweeper_finds_the_payment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """F2: after P2, before P3."""
    with monkeypatch.context() as patched:
        patched.setattr(submit, "apply_intent", die)
        with pytest.raises(Killed):
            bench.pay("1042")
    assert bench.charged() == 41250
    assert bench.invoice().status == "open"
    sweep(bench, seconds=61)
    assert bench.invoice().status == "paid"
    assert len(bench.intents()) == 1


def test_a_database_that_fails_after_the_call_shows_no_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """F2: the payer waits on the result page; an error page would invite to pay again."""

    def fail(*_: Any, **__: Any) -> Any:
        raise OperationalError("canceling statement due to lock timeout")

    with monkeypatch.context() as patched:
        patched.setattr(submit, "apply_intent", fail)
        attempt = bench.pay("1042").attempt
    assert attempt.state == State.SUBMITTED
    assert bench.charged() == 41250
    sweep(bench, seconds=61)
    assert bench.attempt(attempt.pk).state == State.SUCCEEDED


def test_no_connection_is_held_while_stripe_thinks(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-64: slow calls must not empty the pool."""
    seen: list[bool] = []
    original = stripe.RequestsClient.request

    def watch(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(connection.connection is None)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(stripe.RequestsClient, "request", watch)
    bench.pay("1042")
    assert len(seen) >= 3
    assert all(seen)


def test_killed_before_the_commit_nothing_is_half_done(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """PAY-10: inside P3, with everything written and nothing committed."""
    with monkeypatch.context() as patched:
        patched.setattr(posting, "emit", die)
        with pytest.raises(Killed):
            bench.pay("1042")
    assert bench.payments() == []
    with bench.acme():
        assert not Journal.objects.exists()
    sweep(bench, seconds=61)
    (payment,) = bench.payments()
    assert payment.receipt_no == "R-1101"


def test_killed_before_the_call_long_ago_nothing_is_charged_late(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decided 18: nobody is charged after the quarter of an hour for which they were told to wait."""
    with monkeypatch.context() as patched:
        patched.setattr(intents, "create_intent", die)
        with pytest.raises(Killed):
            bench.pay("1042")
    sweep(bench, hours=25)
    assert bench.intents() == []
    assert bench.invoice().reserved_cents == 0


def test_an_abandoned_bank_page_is_canceled_and_freed(bench: Bench) -> None:
    """F14: first at Stripe, then here."""
    attempt = bench.pay("1042", method="pm_card_threeDSecure2Required").attempt
    sweep(bench, minutes=14)
    assert bench.attempt(attempt.pk).state == State.REQUIRES_ACTION
    sweep(bench, minutes=16)
    assert bench.attempt(attempt.pk).state == State.EXPIRED
    assert [intent.status for intent in bench.intents()] == ["canceled"]
    assert bench.invoice().reserved_cents == 0


def test_passed_in_the_last_moment_counts_as_paid(bench: Bench) -> None:
    """F14: canceling a payment that was just made finds it made."""
    attempt = bench.pay("1042", method="pm_card_threeDSecure2Required").attempt
    bench.as_bank(attempt, passed=True)
    sweep(bench, minutes=16)
    assert bench.attempt(attempt.pk).state == State.SUCCEEDED
    assert bench.invoice().status == "paid"


def test_money_for_an_invoice_that_was_paid_meanwhile_becomes_credit(bench: Bench) -> None:
    """datamodel.md 7.2: a fact from Stripe is always storable."""
    attempt = bench.pay("1042", method="pm_card_threeDSecure2Required").attempt
    with bench.acme():
        # The office lowers the invoice under the reservation.
        Invoice.objects.filter(number="1042").update(
            reserved_cents=0, total_cents=F("total_cents") - 10_000, subtotal_cents=F("subtotal_cents") - 10_000
        )
        Invoice.objects.filter(number="1042").update(reserved_cents=31_250)
        PaymentAttempt.objects.filter(pk=attempt.pk).update(
            plan=[{"invoice": attempt.plan[0]["invoice"], "amount_cents": 31_250}]
        )
    bench.as_bank(attempt, passed=True)
    with bench.acme() as context:
        settle_attempt(context=context, attempt_id=attempt.pk, now=later())
        credit = Credit.objects.get()
    assert (credit.amount_cents, credit.remaining_cents) == (10_000, 10_000)
    assert bench.invoice().status == "paid"


def test_settling_in_parallel_posts_once(bench: Bench) -> None:
    """PAY-09: browser, webhook and sweeper at the same time."""
    bench.break_api("timeout_after", times=3, seconds=0.01)
    attempt = bench.pay("1042").attempt

    def settle() -> Any:
        with bench.acme() as context:
            return settle_attempt(context=context, attempt_id=attempt.pk, now=later(seconds=5))

    results = in_parallel(8, settle)
    assert {result.attempt.state for result in results} == {State.SUCCEEDED}
    assert len(bench.payments()) == 1
    assert bench.invoice().paid_cents == 41250


def test_a_key_is_never_used_with_other_parameters(bench: Bench) -> None:
    """F7, PAY-05: Stripe refuses it, and we neither repeat the call nor take another key."""
    attempt = bench.attempt(bench.pay("1042").attempt.pk)
    other = {**attempt.request, "amount": 1_000}
    with pytest.raises(KeyMisused):
        intents.create_intent(bench.account, other, token=attempt.confirmation_token, key=str(attempt.pk))


def test_a_request_that_no_longer_matches_its_hash_is_not_sent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """PAY-05."""
    with monkeypatch.context() as patched:
        patched.setattr(intents, "create_intent", die)
        with pytest.raises(Killed):
            bench.pay("1042")
    with bench.acme():
        attempt = PaymentAttempt.objects.get()
        PaymentAttempt.objects.update(request={**attempt.request, "amount": 1})
    sweep(bench, seconds=61)
    assert bench.requests_to("/v1/payment_intents") == [] or all(
        entry["method"] == "GET" for entry in bench.requests_to("/v1/payment_intents")
    )
    sweep(bench, minutes=16)
    assert bench.invoice().reserved_cents == 0


def test_no_call_leaves_while_a_transaction_is_open(bench: Bench) -> None:
    """PAY-12."""
    with bench.acme(), transaction.atomic(), pytest.raises(NetworkInTransaction):
        tenant_stripe(bench.account).v1.customers.list({})


def test_an_intent_that_disagrees_with_its_attempt_is_not_applied(bench: Bench) -> None:
    """PAY-08, F25, F-60: another plan, another tenant, another amount."""
    attempt = bench.pay("1042", method="pm_card_threeDSecure2Required").attempt
    facts = intents.retrieve_intent(bench.account, str(attempt.stripe_pi_id))
    lies: list[Callable[[intents.IntentFacts], intents.IntentFacts]] = [
        lambda f: replace(f, amount_cents=1, received_cents=1),
        lambda f: replace(f, currency="EUR"),
        lambda f: replace(f, metadata={**f.metadata, "tenant": "another"}),
        lambda f: replace(f, metadata={**f.metadata, "plan_hash": "another"}),
        lambda f: replace(f, id="pi_another"),
    ]
    with bench.acme() as context:
        for lie in lies:
            _refuses(context, bench.account, lie(replace(facts, status="succeeded", received_cents=41250)))
    assert bench.payments() == []


def _refuses(context: TenantContext, account: str, facts: intents.IntentFacts) -> None:
    with pytest.raises(IntentDisagrees):
        apply_intent(tenant_id=context.tenant.id, account_id=account, facts=facts, now=later())


def test_the_journal_cannot_be_rewritten(bench: Bench) -> None:
    """PAY-15: the application's own role has no right to."""
    bench.pay("1042")
    with bench.acme():
        with pytest.raises(ProgrammingError, match="permission denied"):
            Journal.objects.update(delta_cents=1)
        with pytest.raises(ProgrammingError, match="permission denied"):
            Journal.objects.all().delete()


def test_a_find_that_fails_proves_nothing(bench: Bench) -> None:
    """F4: absence must be proven, not assumed."""
    attempt = bench.pay("1042").attempt
    bench.break_api("500", path=CREATE, method="GET", times=3)
    with pytest.raises(AnswerUnknown):
        intents.find_intent(bench.account, customer="cus_x", attempt_id=attempt.pk, since=attempt.created_at)


def test_facts_fetched_early_and_applied_late_change_nothing(bench: Bench) -> None:
    """F10, F-56: every order of what was seen of a failed and of a paid intent ends the same."""
    for passed, end in ((False, State.FAILED), (True, State.SUCCEEDED)):
        attempt = bench.pay("1042", method="pm_card_threeDSecure2Required").attempt
        asked = intents.retrieve_intent(bench.account, str(attempt.stripe_pi_id))
        bench.as_bank(attempt, passed=passed)
        answered = intents.retrieve_intent(bench.account, str(attempt.stripe_pi_id))
        with bench.acme() as context:
            settle_attempt(context=context, attempt_id=attempt.pk, now=later())
            before = bench.ledger()
            stale = [asked, answered, replace(asked, status="processing")]
            for order in permutations([*stale, replace(asked, status="canceled")] if not passed else stale):
                for facts in order:
                    apply_intent(tenant_id=context.tenant.id, account_id=bench.account, facts=facts, now=later())
        assert bench.attempt(attempt.pk).state == end
        assert bench.ledger() == before
