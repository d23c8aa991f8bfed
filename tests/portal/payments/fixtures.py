"""Fixtures of everything that touches Stripe: one double per run, a fresh committed database per test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import stripe
from django.conf import settings

from infra.env import load_env
from infra.stripe_client import BREAKER
from infra.stripe_double import webhooks
from infra.stripe_double.double import Double, Endpoint
from infra.stripe_double.server import RunningDouble
from infra.stripe_double.spec.conformity import Conformity
from infra.stripe_double.store import PLATFORM
from tests.portal.payments.bench import Bench
from tests.portal.payments.live import serve

CONNECT_SECRET = "whsec_connect_tests"
PLATFORM_SECRET = "whsec_platform_tests"


@dataclass
class Pointed:
    """The environment pointed at a double, and back again."""

    running: RunningDouble

    def __enter__(self) -> Pointed:
        self.before = {name: os.environ.get(name) for name in self._values()}
        os.environ.update(self._values())
        self._read_again()
        return self

    def __exit__(self, *_: object) -> None:
        for name, value in self.before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        self._read_again()

    def _values(self) -> dict[str, str]:
        double = self.running.double
        return {
            "STRIPE_API_BASE": f"http://127.0.0.1:{double.port}",
            "STRIPE_JS_URL": f"{double.base_url}/endive/stripe.js",
            "STRIPE_ELEMENT_ORIGIN": double.element_url,
        }

    def _read_again(self) -> None:
        load_env.cache_clear()
        settings.ENV = load_env()


@pytest.fixture(scope="session")
def stripe_double() -> Iterator[RunningDouble]:
    """Run the double on free ports for the whole session."""
    double = Double(public_host="localhost", port=0, element_port=0, witness=Conformity())
    running = RunningDouble(double)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def bench(committed: None, stripe_double: RunningDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Start with an empty double and the cast; end with proof that the money is right."""
    # The SDK tries again as often as ever, and so does the double, only sooner.
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.02)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.05)
    monkeypatch.setattr(webhooks, "RETRY_SECONDS", tuple(wait / 20 for wait in webhooks.RETRY_SECONDS))
    # Faults are queued one after the other for a single call here; tests/portal/payments/test_stripe_away.py shows
    # what the breaker does.
    BREAKER.close()
    monkeypatch.setattr(BREAKER, "failures", 1_000_000)
    with Pointed(stripe_double):
        with stripe_double.double.lock:
            stripe_double.double.reset()
        world = Bench(stripe_double)
        world.connect()
        yield world
        world.heal()
        world.check()


@pytest.fixture
def live(bench: Bench) -> Iterator[Bench]:
    """Serve the product on a real port and have the double deliver its events there."""
    double = bench.running.double
    with serve() as port:
        url = f"http://portal.localhost:{port}/webhooks/stripe"
        endpoints = (
            Endpoint(f"{url}/connect/", CONNECT_SECRET, connect=True),
            Endpoint(f"{url}/platform/", PLATFORM_SECRET, connect=False),
        )
        with double.lock:
            double.endpoints = endpoints
            double.register_endpoints()
        bench.port = port
        yield bench
        with double.lock:
            double.deliverer.clear()
            double.endpoints = ()
            double.store.books[PLATFORM].kind("webhook_endpoint").clear()
