"""The pure parts of the ledger, and proof that the invariants would notice."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.invoices.models import Invoice
from portal.payments import ledger
from portal.payments.amounts import compute_application_fee, is_chargeable
from portal.payments.declines import WORDS, words_for
from portal.payments.invariants import find_broken_invariants
from portal.payments.ledger import Leg, Share, Source, Unbalanced
from portal.payments.models import Payment, PaymentAttempt

from .bench import Bench, later

cents = st.integers(min_value=0, max_value=99_999_999)
IDS = [UUID(int=n) for n in range(1, 5)]
plans = st.lists(st.tuples(st.sampled_from(IDS), cents), unique_by=lambda pair: pair[0], max_size=4)


@given(received=cents, plan=plans, room=st.dictionaries(st.sampled_from(IDS), cents))
def test_money_is_split_without_loss_and_never_beyond_room(
    received: int, plan: list[tuple[UUID, int]], room: dict[UUID, int]
) -> None:
    """datamodel.md 7.1, 7.2: every cent is on an invoice or is credit."""
    shares, excess = ledger.split_received(received, [Share(*pair) for pair in plan], room)
    assert sum(share.amount_cents for share in shares) + excess == received
    assert excess >= 0
    for share in shares:
        assert 0 < share.amount_cents <= min(room[share.invoice_id], dict(plan)[share.invoice_id])


@given(plan=plans, excess=cents)
def test_the_legs_of_a_payment_sum_to_zero(plan: list[tuple[UUID, int]], excess: int) -> None:
    """PAY-15."""
    shares = [Share(*pair) for pair in plan if pair[1]]
    legs = ledger.payment_legs(shares, excess)
    assert sum(leg.delta_cents for leg in legs) == 0
    clearing = [leg.delta_cents for leg in legs if leg.account == "stripe_clearing"]
    assert clearing == [sum(share.amount_cents for share in shares) + excess]


@given(amount=cents, basis_points=st.integers(min_value=0, max_value=1000))
def test_the_platforms_part_is_never_more_than_its_share(amount: int, basis_points: int) -> None:
    fee = compute_application_fee(amount, basis_points)
    assert 0 <= fee <= amount
    assert abs(fee * 10_000 - amount * basis_points) <= 5_000


@pytest.mark.parametrize(
    ("amount", "currency", "possible"),
    [(49, "USD", False), (50, "USD", True), (29, "GBP", False), (99_999_999, "USD", True), (100_000_000, "USD", False)],
)
def test_only_what_stripe_takes_can_be_charged(amount: int, currency: str, possible: bool) -> None:
    assert is_chargeable(amount, currency) is possible


def test_every_decline_has_words_and_fraud_sounds_like_any_other() -> None:
    """screens.md 7: what happened, that nothing was charged, what to do; and no hint for a thief."""
    for code in WORDS:
        title, text = words_for(code, "")
        assert title
        assert text.startswith("Nothing was charged.")
    plain = words_for("card_declined", "generic_decline")
    assert words_for("card_declined", "stolen_card") == plain == words_for("card_declined", "fraudulent")
    assert words_for("card_declined", "insufficient_funds") != plain


def test_unbalanced_legs_are_refused(bench: Bench) -> None:
    """PAY-15."""
    bench.pay("1042")
    with bench.acme(), pytest.raises(Unbalanced):
        ledger.post(
            Source("payment", "payment_intent", "pi_x"),
            [Leg("cash", 1)],
            payment=Payment.objects.get(),
            currency="USD",
            now=timezone.now(),
        )


def test_the_invariants_notice_every_kind_of_damage(bench: Bench) -> None:
    """A check that cannot fail proves nothing: each change breaks exactly what it should."""
    bench.pay("1042")
    bench.pay("1043", method="pm_card_threeDSecure2Required")
    with bench.acme():
        assert find_broken_invariants(timezone.now()) == []
        Invoice.objects.filter(number="1042").update(paid_cents=41249, status="partially_paid")
        found = {broken.rule: broken.rows for broken in find_broken_invariants(timezone.now())}
        assert found == {
            "paid equals the receivable legs": ("1042",),
            "paid equals the allocations": ("1042",),
        }
        Invoice.objects.filter(number="1042").update(paid_cents=41250, status="paid")
        Invoice.objects.filter(number="1043").update(reserved_cents=0)
        assert [b.rule for b in find_broken_invariants(timezone.now())] == ["reserved equals the open attempts"]
        Invoice.objects.filter(number="1043").update(reserved_cents=12900)
        assert [b.rule for b in find_broken_invariants(later(minutes=21))] == [
            "a reservation ends after fifteen minutes"
        ]
        PaymentAttempt.objects.filter(state="succeeded").update(state="processing", form_key=uuid4())
        rules = {broken.rule for broken in find_broken_invariants(timezone.now())}
        assert rules == {
            "pending equals the attempts in processing",
            "an attempt succeeded exactly when its payment did",
        }
        PaymentAttempt.objects.filter(state="processing").update(state="succeeded")


def test_a_late_fee_is_posted_once(bench: Bench) -> None:
    """PAY-14: Stripe tells the balance transaction later; the ledger then equals its balance."""
    from dataclasses import replace

    from portal.payments import intents
    from portal.payments.models import Journal
    from portal.payments.services.posting import apply_intent

    attempt = bench.attempt(bench.pay("1042", method="pm_card_threeDSecure2Required").attempt.pk)
    bench.as_bank(attempt, passed=True)
    facts = intents.retrieve_intent(bench.account, str(attempt.stripe_pi_id))
    early = replace(facts, balance_txn="", stripe_fee_cents=0)
    with bench.acme() as context:
        for told in (early, facts, early, facts):
            apply_intent(tenant_id=context.tenant.id, account_id=bench.account, facts=told, now=later())
        fees = Journal.objects.filter(kind="fee").values_list("account", "delta_cents")
        assert sorted(fees) == [("fee", facts.stripe_fee_cents), ("stripe_clearing", -facts.stripe_fee_cents)]
    assert facts.stripe_fee_cents > 0
