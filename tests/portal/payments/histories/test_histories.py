"""Whatever happens in whatever order, and whoever dies between whichever steps: the books end as Stripe's own.

Thirty histories each time; the campaign of issue size is asked for by the environment, in pieces with a
seed of its own each: PORCHLIGHT_HISTORIES=500 PORCHLIGHT_HISTORIES_SEED=7 (see CONTRIBUTING.md).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
import stripe
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from infra.stripe_double.errors import Json
from tests.portal.payments.bench import Bench

from .boundaries import Boundaries
from .deeds import Deeds
from .machine import Histories
from .world import HELD_EVERY

SMALL = 30
STEPS = 30


@pytest.fixture
def world(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deeds]:
    """Furnish the world once for all histories of a test."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0)
    boundaries = Boundaries(monkeypatch)
    made = Deeds(bench, boundaries)
    yield made
    boundaries.close()
    made.close()
    with bench.running.double.lock:
        bench.running.double.reset()
        bench.running.double.store.books.update(made.books)


def test_whatever_happens_the_books_end_as_stripes_own(world: Deeds, capsys: pytest.CaptureFixture[str]) -> None:
    """F1…F21, F26, PAY-03…PAY-14."""
    asked = os.environ.get("PORCHLIGHT_HISTORIES")
    chosen = int(os.environ.get("PORCHLIGHT_HISTORIES_SEED", "0"))
    Histories.world = world
    world.held_every = HELD_EVERY if asked else 1
    rules = settings(
        max_examples=int(asked or SMALL),
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not asked,
        database=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    began = time.perf_counter()
    try:
        run_state_machine_as_test(seed(chosen)(Histories) if asked else Histories, settings=rules)
    finally:
        if asked:
            _tell(world.tally, chosen, time.perf_counter() - began, capsys)
    assert world.tally["histories"] >= int(asked or SMALL) // 2


def _tell(tally: Json, chosen: int, seconds: float, capsys: pytest.CaptureFixture[str]) -> None:
    """Print what a campaign has been through."""
    with capsys.disabled():
        print(f"\n{tally['histories']} histories in {seconds:.0f} s (seed {chosen})")
        for name, count in sorted(tally.items()):
            print(f"  {count:>8} {name}")
