"""A running double on free ports and a receiver for its webhooks, emptied before each test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from infra.stripe_double.double import Double, Endpoint
from infra.stripe_double.server import RunningDouble
from infra.stripe_double.spec.conformity import Conformity

from .bench import CONNECT_SECRET, PLATFORM_SECRET, Bench, Inbox


@pytest.fixture(scope="session")
def _servers() -> Iterator[tuple[RunningDouble, Inbox]]:
    inbox = Inbox()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = inbox.status
            inbox.received.append((self.path, body, self.headers["Stripe-Signature"]))
            inbox.may_answer.wait(30)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class has it)
            """Stay silent."""

    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    inbox.url = f"http://portal.localhost:{receiver.server_address[1]}"
    endpoints = (
        Endpoint(f"{inbox.url}/connect", CONNECT_SECRET, connect=True),
        Endpoint(f"{inbox.url}/platform", PLATFORM_SECRET, connect=False),
    )
    running = RunningDouble(
        Double(public_host="localhost", port=0, element_port=0, endpoints=endpoints, witness=Conformity())
    )
    running.start()
    yield running, inbox
    running.stop()
    receiver.shutdown()
    receiver.server_close()


@pytest.fixture
def bench(_servers: tuple[RunningDouble, Inbox], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Start each test with an empty double and an empty inbox; end with all of it as Stripe describes it."""
    monkeypatch.setattr(stripe, "enable_telemetry", False)
    running, inbox = _servers
    with running.double.lock:
        running.double.reset()
    inbox.may_answer.set()
    inbox.received.clear()
    inbox.status = 200
    yield Bench(running, inbox)
    with running.double.lock:
        assert [told for told in running.double.store.violations if "card number" not in told] == []


@pytest.fixture
def client(bench: Bench) -> stripe.StripeClient:
    """Return the platform's SDK client."""
    return bench.client()
