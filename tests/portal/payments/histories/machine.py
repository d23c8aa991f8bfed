"""The random histories themselves: which deeds there are, with what, and what happens between their steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from portal.payments.invariants import find_broken_invariants

from .boundaries import Kind, Moment, die
from .deeds import ON_FILE, Deeds
from .truth import check, settle

GOOD = ["pm_card_visa", "pm_card_mastercard", "pm_usBankAccount_success"]
CARDS = [
    "pm_card_visa",
    "pm_card_threeDSecure2Required",
    "pm_card_threeDSecure2Required",
    "pm_card_chargeDeclined",
    "pm_card_refundFail",
    "pm_card_pendingRefund",
    "pm_card_createDispute",
    "pm_card_createDisputeInquiry",
]
BANKS = [
    "pm_usBankAccount_success",
    "pm_usBankAccount_insufficientFunds",
    "pm_usBankAccount_accountClosed",
    "pm_usBankAccount_dispute",
]
FOR_LATER = ["pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired", *BANKS]
# Looking at everything costs as much as a step; whatever is wrong for good is seen a step or two later.
LOOK_EVERY = 3
API_FAULTS = ["500", "503", "409", "429", "reset", "500_after", "500_saved", "timeout_after"]
PATHS = ["^/v1/payment_intents", "^/v1/payment_intents$", "^/v1/refunds", "^/v1/(customers|setup_intents)", "^/v1/"]

# What overtakes a process that waits for Stripe: others at work, or Stripe's own side.
OVERTAKING: dict[str, Callable[[Deeds, int], None]] = {
    "die": lambda world, index: die(),
    "bob pays too": lambda world, index: world.pay("bob", [index], "pm_card_visa", None, False),
    "the link pays too": lambda world, index: world.pay("link", [0], "pm_usBankAccount_success", None, False),
    "the button again": lambda world, index: world.press_again(),
    "everything is heard": lambda world, index: _hear_all(world),
    "a sweep": lambda world, index: world.sweep(),
    "the office refunds": lambda world, index: world.refund(index, None, False, False),
    "a refund at stripe": lambda world, index: world.refund_at_stripe(index, 300),
    "a dispute": lambda world, index: world.dispute(index, "needs_response", None),
    "cash": lambda world, index: world.take_cash([index], 400, True),
    "the bank answers": lambda world, index: world.answer(index, True),
    "autopay": lambda world, index: world.autopay(),
}


def _hear_all(world: Deeds) -> None:
    world.hear(list(range(len(world.events()))), None)
    world.work_off(1, 100)


indexes = st.integers(0, 7)
some = st.lists(indexes, min_size=1, max_size=3)
amounts = st.sampled_from([None, None, 100, 600, 700])
calls: st.SearchStrategy[Any] = st.tuples(
    st.sampled_from(["before_call", "after_call"]), st.integers(0, 2), st.sampled_from(sorted(OVERTAKING)), indexes
)
deaths: st.SearchStrategy[Any] = st.one_of(
    st.tuples(st.just("statement"), st.integers(0, 60), st.just("die"), st.just(0)),
    st.tuples(st.just("commit"), st.integers(0, 5), st.just("die"), st.just(0)),
    st.tuples(st.sampled_from(["before_call", "after_call"]), st.integers(0, 3), st.just("die"), st.just(0)),
)
moments: st.SearchStrategy[Any] = st.one_of(st.none(), deaths, calls, calls, calls)
At = tuple[Kind, int, str, int] | None


class Histories(RuleBasedStateMachine):
    """Two people, a link, autopay, the office, banks, the dashboard, workers and the network, in any order."""

    world: ClassVar[Deeds]

    def __init__(self) -> None:
        super().__init__()
        self.began = time.perf_counter()
        self.is_over = False
        self.looked = 0
        self.world.begin()

    def _do(self, deed: Callable[[], object], at: At = None) -> None:
        self.world.tally["steps"] += 1
        moment = None
        if at is not None:
            kind, left, name, index = at

            def happens() -> None:
                self.world.tally[f"between steps: {name}"] += 1
                if name == "die":
                    die()
                self.world.act(lambda: OVERTAKING[name](self.world, index))

            moment = Moment(kind, left, happens)
        try:
            self.world.act(deed, moment)
        except Exception:
            self.is_over = True
            raise

    @initialize(
        kept=st.sampled_from([None, "pm_card_visa", "pm_usBankAccount_success"]),
        first=st.sampled_from([*GOOD, ON_FILE]),
        second=st.sampled_from([*CARDS, *BANKS]),
        which=some,
        at=moments,
    )
    def two_have_paid(self, kept: str | None, first: str, second: str, which: list[int], at: At) -> None:
        """Nothing happens to money before there is some."""
        if kept:
            self._do(lambda: self.world.allow_autopay(kept, 100_000))
        self._do(lambda: self.world.pay("alice", which, first, None, False), at)
        self._do(lambda: self.world.pay("bob", which, second, None, False))

    @rule(
        payer=st.sampled_from(["alice", "bob", "link"]),
        which=some,
        method=st.sampled_from([*CARDS, *BANKS, ON_FILE]),
        part=amounts,
        saves=st.booleans(),
        at=moments,
    )
    def pay(self, payer: str, which: list[int], method: str, part: int | None, saves: bool, at: At) -> None:
        self._do(lambda: self.world.pay(payer, which, method, part, saves), at)

    @rule(payer=st.sampled_from(["alice", "bob"]), which=some, part=st.sampled_from([None, 600]), at=moments)
    def pay_by_card(self, payer: str, which: list[int], part: int | None, at: At) -> None:
        self._do(lambda: self.world.pay(payer, which, "pm_card_visa", part, False), at)

    @rule(payer=st.sampled_from(["alice", "link"]), which=some, method=st.sampled_from(BANKS), at=moments)
    def pay_by_bank(self, payer: str, which: list[int], method: str, at: At) -> None:
        self._do(lambda: self.world.pay(payer, which, method, None, False), at)

    @rule(
        which=some,
        method=st.sampled_from([ON_FILE, ON_FILE, "pm_card_visa"]),
        kind=st.sampled_from(["timeout_after", "500_after", "500_saved"]),
        at=moments,
    )
    def pay_in_the_dark(self, which: list[int], method: str, kind: str, at: At) -> None:
        """Every answer of a payment is lost, and a sweep looks for it while its key still lives (F1, F3, F4)."""
        self._do(lambda: self.world.break_api(kind, "POST", PATHS[1], 3))
        self._do(lambda: self.world.pay("alice", which, method, None, False))
        self._do(lambda: self.world.wait(70))
        self._do(self.world.sweep, at)

    @rule(at=moments)
    def press_again(self, at: At) -> None:
        self._do(self.world.press_again, at)

    @rule(index=indexes, passed=st.booleans())
    def answer(self, index: int, passed: bool) -> None:
        self._do(lambda: self.world.answer(index, passed))

    @rule(method=st.sampled_from(FOR_LATER), cap=st.sampled_from([1_500, 100_000]), at=moments)
    def allow_autopay(self, method: str, cap: int, at: At) -> None:
        self._do(lambda: self.world.allow_autopay(method, cap), at)

    @rule(at=moments)
    def autopay(self, at: At) -> None:
        self._do(self.world.autopay, at)

    @rule(which=some, amount=st.sampled_from([400, 1_200]), keeps_rest=st.booleans(), at=moments)
    def take_cash(self, which: list[int], amount: int, keeps_rest: bool, at: At) -> None:
        self._do(lambda: self.world.take_cash(which, amount, keeps_rest), at)

    @rule(
        index=indexes,
        amount=amounts,
        keeps_paid=st.booleans(),
        by_hand=st.sampled_from([False, False, True]),
        at=moments,
    )
    def refund(self, index: int, amount: int | None, keeps_paid: bool, by_hand: bool, at: At) -> None:
        self._do(lambda: self.world.refund(index, amount, keeps_paid, by_hand), at)

    @rule(index=indexes)
    def reverse(self, index: int) -> None:
        self._do(lambda: self.world.reverse(index))

    @rule(index=indexes, at=moments)
    def use_credit(self, index: int, at: At) -> None:
        self._do(lambda: self.world.use_credit(index), at)

    @rule(index=indexes, amount=st.sampled_from([50, 300, 10_000]))
    def refund_at_stripe(self, index: int, amount: int) -> None:
        self._do(lambda: self.world.refund_at_stripe(index, amount))

    @rule(index=indexes)
    def cancel_at_stripe(self, index: int) -> None:
        self._do(lambda: self.world.cancel_at_stripe(index))

    @rule(
        index=indexes,
        status=st.sampled_from(["needs_response", "lost", "warning_needs_response"]),
        part=st.sampled_from([None, None, 500]),
    )
    def dispute(self, index: int, status: str, part: int | None) -> None:
        self._do(lambda: self.world.dispute(index, status, part))

    @rule(index=indexes, verdict=st.sampled_from(["won", "lost", "escalate"]))
    def decide(self, index: int, verdict: str) -> None:
        self._do(lambda: self.world.decide(index, verdict))

    @rule(
        kind=st.sampled_from(API_FAULTS),
        method=st.sampled_from(["POST", "POST", "GET"]),
        path=st.sampled_from(PATHS),
        times=st.sampled_from([1, 3, 6]),
    )
    def break_api(self, kind: str, method: str, path: str, times: int) -> None:
        self._do(lambda: self.world.break_api(kind, method, path, times))

    @rule(
        picks=st.lists(st.integers(0, 30), min_size=1, max_size=8),
        damage=st.sampled_from([None, None, None, None, "tamper", "stale", "secret"]),
        at=moments,
    )
    def hear(self, picks: list[int], damage: Any, at: At) -> None:
        self._do(lambda: self.world.hear(picks, damage), at)

    @rule(order=st.integers(0, 9), count=st.integers(1, 12), at=moments)
    def work_off(self, order: int, count: int, at: At) -> None:
        self._do(lambda: self.world.work_off(order, count), at)

    @rule(at=moments)
    def work_a_batch(self, at: At) -> None:
        self._do(self.world.work_a_batch, at)

    @rule()
    def hear_and_work_off(self) -> None:
        self._do(lambda: _hear_all(self.world))

    @rule(at=moments)
    def sweep(self, at: At) -> None:
        self._do(self.world.sweep, at)

    @rule(at=moments)
    def read_events(self, at: At) -> None:
        self._do(self.world.read_events, at)

    @rule(at=moments)
    def compare_books(self, at: At) -> None:
        self._do(self.world.compare_books, at)

    @rule(at=moments)
    def deliver_effects(self, at: At) -> None:
        self._do(self.world.deliver_effects, at)

    @rule(seconds=st.sampled_from([5, 70, 500, 1_000, 4_000, 90_000, 4 * 86_400, 5 * 86_400]))
    def wait(self, seconds: int) -> None:
        self._do(lambda: self.world.wait(seconds))

    @invariant()
    def the_books_are_sound_at_every_moment(self) -> None:
        """A reservation may be older than it should while nobody sweeps; nothing else may ever be wrong."""
        self.looked += 1
        if self.looked % LOOK_EVERY:
            return
        with self.world.bench.acme():
            broken = find_broken_invariants(self.world.start)
        self.is_over = bool(broken)
        assert broken == []

    def teardown(self) -> None:
        """End the history and compare everything; one that has failed has ended."""
        if self.is_over:
            return
        settle(self.world)
        check(self.world)
        self.world.tally["histories"] += 1
        self.world.tally["milliseconds"] += int(1000 * (time.perf_counter() - self.began))
