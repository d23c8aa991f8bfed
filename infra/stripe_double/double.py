"""The double itself: store, lock, faults, addresses and the scope a handler works in."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from infra.stripe_double.errors import Json, missing, public
from infra.stripe_double.faults import FaultBox
from infra.stripe_double.sdk_types import API_VERSION
from infra.stripe_double.store import PLATFORM, Book, Store
from infra.stripe_double.templates import blank
from infra.stripe_double.webhooks import Deliverer


@dataclass(frozen=True)
class Endpoint:
    """A webhook destination given on the command line."""

    url: str
    secret: str
    connect: bool


class Witness(Protocol):
    """Says in which respects a message is not as Stripe describes it."""

    def of_exchange(self, method: str, template: str, params: Json, status: int, body: Json) -> Iterable[str]:
        """Check a request that was carried out, and its answer."""

    def of_request(self, method: str, template: str, params: Json) -> Iterable[str]:
        """Check a request that was refused for another reason than its form."""

    def of_error(self, path: str, body: Json) -> Iterable[str]:
        """Check a refusal by the API of this path."""

    def of_event(self, event: Json) -> Iterable[str]:
        """Check an event."""


@dataclass
class Double:
    """Everything one running double shares between its threads; what its witness says becomes a violation."""

    public_host: str
    port: int
    element_port: int
    endpoints: tuple[Endpoint, ...] = ()
    state_file: Path | None = None
    witness: Witness | None = None
    store: Store = field(default_factory=Store)
    faults: FaultBox = field(default_factory=FaultBox)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.deliverer = Deliverer(store=self.store, faults=self.faults, lock=self.lock)
        if self.state_file and self.state_file.exists():
            self.store.load(self.state_file)
        self.register_endpoints()

    @property
    def base_url(self) -> str:
        """Return the API's origin as a browser sees it."""
        return f"http://{self.public_host}:{self.port}"

    @property
    def element_url(self) -> str:
        """Return the other origin, on which card numbers are typed."""
        return f"http://{self.public_host}:{self.element_port}"

    def scope(self, account: str) -> Scope:
        """Open the scope of one account."""
        return Scope(double=self, account=account)

    def register_endpoints(self) -> None:
        """Make the command line's destinations webhook endpoints, replacing those of an earlier start."""
        kept = self.store.books[PLATFORM].kind("webhook_endpoint")
        for endpoint in self.endpoints:
            endpoint_id = "we_1configured" + ("connect" if endpoint.connect else "platform")
            kept[endpoint_id] = {
                **blank("webhook_endpoint"),
                "id": endpoint_id,
                "url": endpoint.url,
                "enabled_events": ["*"],
                "status": "enabled",
                "api_version": API_VERSION,
                "created": self.store.now(),
                "_secret": endpoint.secret,
                "_connect": endpoint.connect,
            }

    def reset(self) -> None:
        """Forget all objects, faults and logs; keep the configured webhook destinations."""
        self.store.clear()
        self.faults.clear()
        self.deliverer.clear()
        self.register_endpoints()

    def save_if_changed(self) -> None:
        """Write the snapshot when there is a file for it and something to write."""
        with self.lock:
            if self.state_file and self.store.dirty:
                self.store.save(self.state_file)


@dataclass(frozen=True)
class Scope:
    """One account's view: what handlers and the clock use to read, create and announce objects."""

    double: Double
    account: str
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def store(self) -> Store:
        """Return the shared store."""
        return self.double.store

    @property
    def book(self) -> Book:
        """Return this account's objects."""
        return self.store.books[self.account]

    @property
    def connected(self) -> bool:
        """Tell a connected account from the platform."""
        return self.account != PLATFORM

    def platform(self) -> Scope:
        """Open the platform's scope on behalf of the same request."""
        return Scope(self.double, PLATFORM, self.request_id, self.idempotency_key)

    def create(self, kind: str, prefix: str, **fields: Any) -> Json:
        """Create and keep an object with a fresh id."""
        created = {**blank(kind), "id": self.store.new_id(prefix), **fields}
        if "created" in created:
            created["created"] = self.store.now()
        self.book.kind(kind)[created["id"]] = created
        return created

    def find(self, kind: str, object_id: str, *, label: str | None = None, param: str = "id") -> Json:
        """Return an object of this account.

        Raises StripeError 404, also for an object that exists in another account.
        """
        found = self.book.kind(kind).get(object_id)
        if found is None:
            raise missing(label or kind, object_id, param=param)
        return found

    def emit(self, event_type: str, subject: Json, previous: Json | None = None) -> Json:
        """Record an event with a snapshot of the object and queue its deliveries."""
        event = self.create("event", "evt_1", type=event_type, api_version=API_VERSION, pending_webhooks=0)
        event["data"] = {"object": public(subject)}
        if previous is not None:
            event["data"]["previous_attributes"] = previous
        event["request"] = {"id": self.request_id, "idempotency_key": self.idempotency_key}
        if self.connected:
            event["account"] = self.account
        self.double.deliverer.announce(event)
        if self.double.witness:
            self.store.violations.extend(self.double.witness.of_event(public(event)))
        return event


@dataclass(frozen=True)
class Call(Scope):
    """One API request in the scope of the account it names."""

    params: Json = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)
    publishable: bool = False
