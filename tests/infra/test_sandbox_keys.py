"""The suite against Stripe's sandbox takes test keys only, and is not there without them (payments.md 3d, rung 8)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox import conftest
from tests.sandbox.keys import ACCOUNT, KEY, NotASandbox, Sandbox, find_sandbox


@pytest.mark.parametrize(
    "changes",
    [
        {KEY: "sk_live_1"},
        {KEY: "rk_live_1"},
        {KEY: "pk_test_1"},
        {KEY: "whsec_1"},
        {ACCOUNT: ""},
        {ACCOUNT: "cus_1"},
    ],
)
def test_nothing_but_a_test_key_with_its_account_is_taken(changes: dict[str, str]) -> None:
    """PAY-21: a live key in a tester's shell sends nothing anywhere."""
    good = {KEY: "sk_test_1", ACCOUNT: "acct_1"}
    assert find_sandbox(good) == Sandbox("sk_test_1", "acct_1")
    with pytest.raises(NotASandbox):
        find_sandbox({**good, **changes})


def test_without_keys_nothing_is_collected() -> None:
    assert find_sandbox({}) is None
    collected: Any = conftest.collect_ignore_glob
    assert bool(collected) is (conftest.found is None)
