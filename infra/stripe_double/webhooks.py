"""Signed webhook deliveries with retries, back-off and injected faults."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import http.client
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from infra.stripe_double.errors import Json, public
from infra.stripe_double.faults import FaultBox, WebhookFault
from infra.stripe_double.store import PLATFORM, Store

# Real Stripe backs off over three days; a developer's machine needs the first minutes of that.
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0)
STALE_SECONDS = 4000
TIMEOUT_SECONDS = 10.0


def signature_header(payload: str, secret: str, timestamp: int) -> str:
    """Return the Stripe-Signature header for a payload."""
    digest = hmac.new(secret.encode(), f"{timestamp}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


@dataclass(order=True)
class Delivery:
    """One attempt waiting for its time."""

    due: float
    number: int
    event: Json = field(compare=False)
    endpoint: Json = field(compare=False)
    attempt: int = field(compare=False, default=1)
    fault: str | None = field(compare=False, default=None)


class Deliverer:
    """Sends events to the endpoints, one after the other, on its own thread."""

    def __init__(self, *, store: Store, faults: FaultBox, lock: threading.RLock) -> None:
        self._store = store
        self._faults = faults
        self._lock = lock
        self._queue: list[Delivery] = []
        self._on_its_way: Delivery | None = None
        self._held: list[tuple[Json, Json]] = []
        self._numbers = itertools.count()
        self._wake = threading.Event()
        self._stopping = False

    def announce(self, event: Json) -> None:
        """Queue an event for every endpoint that listens to it; the caller holds the lock."""
        for endpoint in self._store.books[PLATFORM].kind("webhook_endpoint").values():
            wanted = endpoint["enabled_events"]
            if endpoint["status"] != "enabled" or endpoint["_connect"] != ("account" in event):
                continue
            if "*" in wanted or event["type"] in wanted:
                event["pending_webhooks"] += 1
                self._enqueue_first(event, endpoint)

    def release(self, *, reverse: bool) -> int:
        """Send the held events, oldest or newest first; return how many."""
        held = list(reversed(self._held)) if reverse else list(self._held)
        self._held.clear()
        for event, endpoint in held:
            self._push(event, endpoint)
        return len(held)

    def redeliver(self, event_id: str) -> int:
        """Send one recorded event again to its endpoints; return how many deliveries were queued."""
        count = 0
        for book in self._store.books.values():
            event = book.kind("event").get(event_id)
            if event is None:
                continue
            for endpoint in self._store.books[PLATFORM].kind("webhook_endpoint").values():
                if endpoint["_connect"] == ("account" in event):
                    self._push(event, endpoint)
                    count += 1
        return count

    def clear(self) -> None:
        """Drop everything queued or held; what is on its way is not tried again."""
        self._on_its_way = None
        self._queue.clear()
        self._held.clear()

    @property
    def outstanding(self) -> dict[str, int]:
        """Count what is queued, until it has been answered, and what is held."""
        return {"queued": len(self._queue) + (self._on_its_way is not None), "held": len(self._held)}

    def run(self) -> None:
        """Deliver until stopped."""
        while not self._stopping:
            delivery = self._next_due()
            if delivery is None:
                self._wake.wait(0.05)
                self._wake.clear()
            else:
                self._deliver(delivery)

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping = True
        self._wake.set()

    def _enqueue_first(self, event: Json, endpoint: Json) -> None:
        fault = self._faults.take_webhook(event["type"]) or WebhookFault("none", (), 0, 0.0)
        if fault.kind == "drop":
            self._record(event, endpoint, 1, "dropped")
        elif fault.kind == "hold":
            self._held.append((event, endpoint))
        elif fault.kind == "delay":
            self._push(event, endpoint, after=fault.seconds)
        else:
            self._push(event, endpoint, fault=fault.kind)
            if fault.kind == "duplicate":
                self._push(event, endpoint, after=fault.seconds)

    def _push(
        self, event: Json, endpoint: Json, *, after: float = 0.0, attempt: int = 1, fault: str | None = None
    ) -> None:
        due = time.monotonic() + after
        heapq.heappush(self._queue, Delivery(due, next(self._numbers), event, endpoint, attempt, fault))
        self._wake.set()

    def _next_due(self) -> Delivery | None:
        with self._lock:
            if self._queue and self._queue[0].due <= time.monotonic():
                self._on_its_way = heapq.heappop(self._queue)
                return self._on_its_way
        return None

    def _deliver(self, delivery: Delivery) -> None:
        event, endpoint = delivery.event, delivery.endpoint
        with self._lock:
            body = json.dumps(public(event), indent=2)
        signed_at = int(time.time()) - (STALE_SECONDS if delivery.fault == "stale" else 0)
        header = signature_header(body, endpoint["_secret"], signed_at)
        if delivery.fault == "tamper":
            body = body.replace('"livemode": false', '"livemode": true')
        result = _post(endpoint["url"], body, header)
        with self._lock:
            if self._on_its_way is not delivery:
                return
            self._on_its_way = None
            self._record(event, endpoint, delivery.attempt, result)
            if isinstance(result, int) and 200 <= result < 300:
                event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
                self._store.dirty = True
            elif delivery.attempt <= len(RETRY_SECONDS):
                wait = RETRY_SECONDS[delivery.attempt - 1]
                self._push(event, endpoint, after=wait, attempt=delivery.attempt + 1)

    def _record(self, event: Json, endpoint: Json, attempt: int, result: int | str) -> None:
        entry = {
            "event": event["id"],
            "type": event["type"],
            "account": event.get("account"),
            "endpoint": endpoint["id"],
            "attempt": attempt,
            "result": result,
        }
        self._store.log(self._store.deliveries, entry)


def _post(url: str, body: str, signature: str) -> int | str:
    """Send one delivery without following redirects; return the status or the reason there is none."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or not (host in ("127.0.0.1", "localhost") or host.endswith(".localhost")):
        return "refused: the double delivers to this machine only"
    # Names under .localhost are this machine by definition, but not every resolver knows it.
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=TIMEOUT_SECONDS)
    headers = {
        "Host": parts.netloc,
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (local double)",
    }
    try:
        connection.request("POST", parts.path or "/", body.encode(), headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
