"""Sums over an offer: the server's own, whatever was chosen (EST-02)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portal.estimates.offer import Line, Offer, Option, hash_signed, part_of, read_offer, write_offer
from tests.portal.estimates.making import BETTER, GOOD, offer

cents = st.integers(min_value=0, max_value=5_000_000)
lines = st.lists(st.tuples(cents, st.booleans(), st.booleans()), min_size=1, max_size=8)


def option_of(rows: list[tuple[int, bool, bool]]) -> Option:
    made = tuple(Line(f"a{n}", f"Line {n}", "1", c, c, o, o and p) for n, (c, o, p) in enumerate(rows))
    return Option("a", "Only", "", False, made)


@given(rows=lines, tax=st.integers(0, 4000), percent=st.integers(100, 10_000))
def test_a_deposit_never_exceeds_the_total(rows: list[tuple[int, bool, bool]], tax: int, percent: int) -> None:
    option = option_of(rows)
    for kind, value in (("percent", percent), ("fixed", 2_000_000), ("none", 0)):
        what = Offer("", "", tax, kind, value, (option,))  # type: ignore[arg-type]
        for chosen in ((), option.preselected(), tuple(line.key for line in option.extras)):
            sums = what.sums(option, chosen)
            assert sums.total_cents == sums.subtotal_cents + sums.tax_cents
            assert 0 <= sums.deposit_cents <= sums.total_cents


@given(rows=lines)
def test_only_optional_lines_can_be_left_out(rows: list[tuple[int, bool, bool]]) -> None:
    option = option_of(rows)
    what = offer("none", 0, 0, option)
    least = sum(line.amount_cents for line in option.lines if not line.optional)
    assert what.sums(option, ()).total_cents == least
    assert what.sums(option, [line.key for line in option.lines]).total_cents == sum(c for c, _o, _p in rows)


def test_lines_of_another_option_count_nothing() -> None:
    what = offer("none", 0)
    assert what.sums(GOOD, ["b4", "b5"]).total_cents == 300000
    assert what.chosen_lines(GOOD, ["b4"]) == ()
    assert what.chosen_lines(BETTER, ["b5", "b4", "b1", "zebra"]) == ("b4", "b5")


def test_half_a_cent_is_rounded_up() -> None:
    assert part_of(1050, 825) == 87
    assert part_of(50, 100) == 1


def test_what_is_kept_is_what_was_written() -> None:
    assert read_offer(write_offer(offer())) == offer()


def test_a_signature_covers_the_choice_and_the_price() -> None:
    sums = offer().sums(BETTER, ["b5"])
    signed = hash_signed("document", "b", ["b5"], sums, "I approve.")
    others = [
        hash_signed("another", "b", ["b5"], sums, "I approve."),
        hash_signed("document", "a", ["b5"], sums, "I approve."),
        hash_signed("document", "b", [], sums, "I approve."),
        hash_signed("document", "b", ["b5"], offer().sums(GOOD, ()), "I approve."),
        hash_signed("document", "b", ["b5"], sums, "I do not approve."),
    ]
    assert signed not in others
