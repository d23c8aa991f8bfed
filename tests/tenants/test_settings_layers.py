"""Which value counts and why: the layers, locks, shares, ratchets and kills, without a database (platform.md 3.9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tenants.config.layers import LayerValue, bucket, evaluate, reaches, weigh
from tenants.config.registry import MAGIC_LINK_DAYS, REGISTRY, Key, check_value, declare_flag
from tests.cast import ACME, NOW

KEY = MAGIC_LINK_DAYS
FLEET = [UUID(int=number * 2654435761) for number in range(2000)]


@pytest.fixture
def flag() -> Iterator[Key[bool]]:
    """Return a flag that exists for the length of a test."""
    yield declare_flag("test.flag", "Something new.", kind="release", team="tests", review_by=date(2027, 1, 1))
    del REGISTRY["test.flag"]


@pytest.fixture
def ratchet() -> Iterator[Key[bool]]:
    """Return a flag whose gifts are kept."""
    yield declare_flag("test.kept", "Something given.", kind="permission", team="tests", ratchet=True)
    del REGISTRY["test.kept"]


def at(layer: str, value: Any, key: Key[Any] = KEY, *, ends: int | None = None, **more: Any) -> LayerValue:
    """Return one stored value; `ends` is in minutes from now."""
    return LayerValue(
        key.name, layer, value, expires_at=None if ends is None else NOW + timedelta(minutes=ends), **more
    )


def outcomes(*rows: LayerValue, key: Key[Any] = KEY, tenant: UUID = ACME) -> list[tuple[str, str]]:
    """Return layer and outcome, highest first."""
    return [(each.row.layer, each.outcome) for each in weigh(key, rows, tenant, NOW)]


def test_every_layer_beats_the_ones_below_it_and_all_are_listed() -> None:
    """Acceptance 31: the winner, and every shadowed value."""
    layers = ["platform", "plan", "cohort", "operator", "owner"]
    for count in range(1, 6):
        rows = [at(layer, number) for number, layer in enumerate(layers[:count], start=1)]
        weighed = weigh(KEY, reversed(rows), ACME, NOW)
        assert evaluate(weighed).value == count
        assert [each.row.layer for each in weighed] == [*reversed(layers[:count]), "code"]
        assert [each.outcome for each in weighed] == ["wins"] + ["shadowed"] * count


def test_a_lock_ends_the_stack_and_an_expired_lock_does_not() -> None:
    """platform.md 3.9: a layer may lock a key."""
    assert outcomes(at("plan", 2, locked=True), at("owner", 5)) == [
        ("owner", "locked out"),
        ("plan", "wins"),
        ("code", "shadowed"),
    ]
    assert evaluate(weigh(KEY, [at("plan", 2, locked=True), at("owner", 5)], ACME, NOW)).locked
    assert outcomes(at("plan", 2, locked=True, ends=0), at("owner", 5))[:2] == [("owner", "wins"), ("plan", "expired")]


def test_of_two_cohorts_the_higher_rank_wins() -> None:
    """platform.md 3.9."""
    rows = [at("cohort", 20, rank=2), at("cohort", 10, rank=1)]
    assert evaluate(weigh(KEY, rows, ACME, NOW)).value == 20


def test_a_stored_value_that_no_longer_fits_counts_for_nothing() -> None:
    """platform.md 3.9: values are typed and strict, also those of yesterday's code."""
    assert outcomes(at("platform", 5), at("owner", 99)) == [
        ("owner", "does not fit"),
        ("platform", "wins"),
        ("code", "shadowed"),
    ]


def test_raising_a_share_removes_nobody_and_going_back_gives_the_same_set(flag: Key[bool]) -> None:
    """Acceptance 30: deterministic by flag and company, in every process."""

    def on(percent: float) -> set[UUID]:
        rows = [at("platform", {"percent": percent}, flag)]
        return {tenant for tenant in FLEET if evaluate(weigh(flag, rows, tenant, NOW)).value}

    ten, fifty = on(10), on(50)
    assert ten < fifty
    assert on(10) == ten
    assert on(0) == set()
    assert on(100) == set(FLEET)
    # Five standard deviations of a fair draw of 2,000.
    assert abs(len(ten) - 200) < 68
    assert abs(len(fifty) - 1000) < 112
    # Fixed for ever: whoever changes the hash takes features from companies that have them.
    assert bucket("portal", ACME) == 4442
    assert {tenant for tenant in FLEET if reaches("another", tenant, 10)} != ten


def test_a_ratchet_flag_keeps_what_it_gave_and_any_other_flag_does_not(flag: Key[bool], ratchet: Key[bool]) -> None:
    """Acceptance 30; an operator's word and a kill still go over it."""
    for key, kept in ((ratchet, True), (flag, False)):
        rows = [at("platform", {"percent": 0}, key), at("grant", True, key)]
        assert evaluate(weigh(key, rows, ACME, NOW)).value is kept
    rows = [at("grant", True, ratchet), at("operator", False, ratchet)]
    assert evaluate(weigh(ratchet, rows, ACME, NOW)).value is False


def test_a_kill_goes_over_everything_even_a_lock(flag: Key[bool]) -> None:
    """platform.md 3.9: the platform's kill switch comes first."""
    rows = [at("kill", False, flag), at("plan", True, flag, locked=True), at("operator", True, flag)]
    found = evaluate(weigh(flag, rows, ACME, NOW))
    assert (found.value, found.layer, found.reason) == (False, "kill", "DISABLED")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (None, "DEFAULT"),
        (("platform", True), "STATIC"),
        (("platform", {"percent": 100}), "SPLIT"),
        (("plan", True), "STATIC"),
        (("cohort", True), "TARGETING_MATCH"),
        (("operator", True), "TARGETING_MATCH"),
        (("kill", False), "DISABLED"),
    ],
)
def test_each_layer_has_openfeatures_word_for_it(flag: Key[bool], row: tuple[str, Any] | None, reason: str) -> None:
    """Acceptance 33."""
    rows = [at(*row, flag)] if row else []
    assert evaluate(weigh(flag, rows, ACME, NOW)).reason == reason


def test_only_the_platforms_layer_of_a_flag_takes_a_share(flag: Key[bool]) -> None:
    assert check_value(flag.name, {"percent": 12.25}, "platform") == {"percent": 12.25}
    wrong = [{"percent": 12.345}, {"percent": -1}, {"percent": 101}, {"percent": True}, {"percent": "5"}, {}, {"p": 1}]
    for value in wrong:
        with pytest.raises(ValueError):
            check_value(flag.name, value, "platform")
    for layer in ("plan", "cohort", "operator"):
        with pytest.raises(ValueError):
            check_value(flag.name, {"percent": 10}, layer)
    with pytest.raises(ValueError):
        check_value(KEY.name, {"percent": 10}, "platform")


def test_a_release_flag_names_the_day_of_its_review() -> None:
    """platform.md 3.9, governance."""
    with pytest.raises(ValueError, match="review"):
        declare_flag("test.forever", "Never looked at.", kind="release", team="tests")
