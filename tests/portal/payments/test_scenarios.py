"""The scenarios of Stripe's sandbox at the double: what is proven here holds there, once somebody has the keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.portal.payments.bench import Bench
from tests.portal.payments.scenarios import SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)
def test_at_the_double(bench: Bench, scenario: Callable[[Bench], None]) -> None:
    """F5, F8, F14, PAY-13, PAY-16."""
    scenario(bench)
