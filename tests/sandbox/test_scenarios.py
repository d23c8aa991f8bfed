"""The scenarios at Stripe itself, in test mode, through the same code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.portal.payments.bench import Bench
from tests.portal.payments.scenarios import SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)
def test_at_the_sandbox(bench: Bench, scenario: Callable[[Bench], None]) -> None:
    scenario(bench)
