"""The arithmetic of a statement, whatever happened (P-13, X-19)."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from portal.statements.account import Effect, Kind, make_account

DAY = date(2026, 6, 1)
ONE, TWO = UUID(int=1), UUID(int=2)


def effect(days: int, cents: int, kind: Kind = "invoice", invoice: UUID = ONE, due: int = 30) -> Effect:
    return Effect(DAY + timedelta(days), kind, cents, invoice, f"N{invoice.int}", DAY + timedelta(due))


def test_what_came_before_is_the_opening_balance() -> None:
    account = make_account([effect(-40, 5_000), effect(-3, -2_000, "money_in")], first=DAY, last=DAY)
    assert (account.opening_cents, account.entries, account.closing_cents) == (3_000, (), 3_000)


def test_first_and_last_day_count_and_the_day_after_does_not() -> None:
    effects = [effect(0, 100), effect(9, 20), effect(10, 3)]
    account = make_account(effects, first=DAY, last=DAY + timedelta(9))
    assert [entry.cents for entry in account.entries] == [100, 20]
    assert account.closing_cents == 120


def test_an_invoice_stands_before_its_payment_of_the_same_day() -> None:
    account = make_account([effect(1, -100, "money_in"), effect(1, 100)], first=DAY, last=DAY + timedelta(1))
    assert [(entry.kind, entry.balance_cents) for entry in account.entries] == [("invoice", 100), ("money_in", 0)]


def test_debt_is_as_old_as_its_due_date_on_the_last_day() -> None:
    dues = {0: 30, 1: 0, 30: 1, 31: 2, 90: 3, 91: 4}
    for late in dues:
        account = make_account([effect(0, 700, due=100 - late)], first=DAY, last=DAY + timedelta(100))
        assert account.ageing_cents[[0, 1, 1, 2, 3, 4][list(dues).index(late)]] == 700, late


def test_a_payment_makes_its_own_invoice_younger_and_no_other() -> None:
    effects = [effect(0, 900, due=0), effect(0, 500, invoice=TWO, due=95), effect(50, -900, "money_in")]
    account = make_account(effects, first=DAY, last=DAY + timedelta(100))
    assert account.ageing_cents == (0, 500, 0, 0, 0)


EFFECTS = st.lists(
    st.builds(
        effect,
        st.integers(-400, 400),
        st.integers(-10_000, 10_000),
        st.sampled_from(["invoice", "direct", "money_in", "money_back", "credit", "closed"]),
        st.sampled_from([ONE, TWO]),
        st.integers(-400, 400),
    ),
    max_size=40,
)


@given(EFFECTS, st.integers(-300, 300), st.integers(0, 300))
def test_it_always_adds_up(effects: list[Effect], start: int, days: int) -> None:
    """Opening plus entries is closing, closing is the sum of the ages, and two periods join without a gap."""
    first = DAY + timedelta(start)
    last = first + timedelta(days)
    account = make_account(effects, first=first, last=last)
    assert account.opening_cents + sum(entry.cents for entry in account.entries) == account.closing_cents
    assert account.opening_cents + account.charged_cents - account.settled_cents == account.closing_cents
    assert sum(account.ageing_cents) == account.closing_cents
    following = make_account(effects, first=last + timedelta(1), last=last + timedelta(30))
    assert following.opening_cents == account.closing_cents
