"""Tells known events again, as Stripe would: at a pace of their own, or as fast as they are answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any
from uuid import uuid4

import psycopg

from bench.programs import SECRET, Programs

CONNECTIONS = 4
# More than could ever be under way at a pace that can be kept, so that nobody waits for a connection.
OPEN_CONNECTIONS = 32


def told_again(watcher: psycopg.Connection[Any], account: str, count: int) -> list[bytes]:
    """Return events that tell of known payments again, each under an id of its own."""
    asked = "SELECT payload FROM webhooks_webhookinbox WHERE type = 'payment_intent.succeeded' LIMIT %s"
    known = [payload for (payload,) in watcher.execute(asked, [count]).fetchall()]
    return [json.dumps({**each, "account": account, "id": f"evt_{uuid4().hex}"}).encode() for each in known]


def deliver(programs: Programs, told: list[bytes], *, pace: int | None) -> list[float]:
    """Deliver so many a second, or over four connections as fast as they are answered; returns seconds to each 200.

    At a pace each delivery has its moment and is timed from it, also when it could not be sent in time.
    """
    # Imported before the first moment is noted: it takes this client longer than a delivery takes the web.
    from infra.stripe_double.webhooks import signature_header

    took: list[float] = []
    began, waiting, lock = perf_counter(), iter(enumerate(told)), threading.Lock()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", programs.web_port, timeout=30)
        while True:
            with lock:
                following = next(waiting, None)
            if following is None:
                return connection.close()
            number, body = following
            due = began + number / pace if pace else perf_counter()
            time.sleep(max(0.0, due - perf_counter()))
            signature = signature_header(body.decode(), SECRET, int(time.time()))
            connection.request("POST", "/webhooks/stripe/connect/", body, _headers(signature))
            answer = connection.getresponse()
            answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(f"A webhook was answered {answer.status}.")
            took.append(perf_counter() - due)

    connections = OPEN_CONNECTIONS if pace else CONNECTIONS
    with ThreadPoolExecutor(connections) as pool:
        for each in [pool.submit(send) for _ in range(connections)]:
            each.result()
    return took


def _headers(signature: str) -> dict[str, str]:
    return {"Host": "portal.localhost", "Content-Type": "application/json", "Stripe-Signature": signature}
