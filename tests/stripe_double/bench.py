"""What the tests work with: the double's addresses, SDK clients, its control plane, received webhooks."""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe

from infra.stripe_double.server import RunningDouble

CONNECT_SECRET = "whsec_connect_test"
PLATFORM_SECRET = "whsec_platform_test"


@dataclass
class Inbox:
    """Received webhooks: (path, body, signature); answers with `status`, as soon as it may."""

    url: str = ""
    status: int = 200
    may_answer: threading.Event = field(default_factory=threading.Event)
    received: list[tuple[str, bytes, str]] = field(default_factory=list)

    def events(self, event_type: str) -> list[dict[str, Any]]:
        """Return the received events of one type."""
        return [event for event in (json.loads(body) for _, body, _ in self.received) if event["type"] == event_type]

    def deliveries(self, event_type: str) -> list[tuple[str, bytes, str]]:
        """Return the raw deliveries of one type."""
        return [entry for entry in self.received if json.loads(entry[1])["type"] == event_type]

    def wait_for(self, event_type: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for events of one type to arrive."""
        wait_until(lambda: len(self.events(event_type)) >= count, f"{count} × {event_type}")
        return self.events(event_type)


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Poll until something holds, or fail by name."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"never happened: {what}")
        time.sleep(0.02)


@dataclass
class Bench:
    """What a test needs: the double's addresses, its inbox, SDK clients, the control plane."""

    running: RunningDouble
    inbox: Inbox

    @property
    def base(self) -> str:
        """Return the API's address."""
        return f"http://127.0.0.1:{self.running.double.port}"

    def client(self, key: str = "sk_test_platform", *, retries: int = 2) -> stripe.StripeClient:
        """Return an SDK client bound to the double."""
        bases: Any = dict.fromkeys(("api", "connect", "files", "meter_events"), self.base)
        http_client = stripe.RequestsClient(timeout=(3, 20))
        return stripe.StripeClient(key, base_addresses=bases, max_network_retries=retries, http_client=http_client)

    def control(self, action: str, **body: Any) -> dict[str, Any]:
        """Use the control plane; `state` is a GET."""
        data = None if action == "state" else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.base}/_double/{action}", data)) as answer:
            return dict(json.load(answer))

    def account(self, client: stripe.StripeClient, *, onboard: bool = True) -> str:
        """Create a connected account, ready to take cards unless told otherwise."""
        account = client.v2.core.accounts.create(
            {
                "contact_email": "owner@acme.example",
                "display_name": "Acme Plumbing",
                "dashboard": "full",
                "identity": {"country": "us"},
                "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}},
                "defaults": {"responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}},
                "include": ["configuration.merchant", "requirements"],
            }
        )
        if onboard:
            link = self.onboarding_link(client, account.id)
            self.fetch(link.url, method="POST")
        return account.id

    def onboarding_link(self, client: stripe.StripeClient, account: str) -> Any:
        """Create an onboarding link that returns to a fixed address."""
        onboarding: Any = {
            "refresh_url": "http://office.example/again",
            "return_url": "http://office.example/back",
        }
        return client.v2.core.account_links.create(
            {"account": account, "use_case": {"type": "account_onboarding", "account_onboarding": onboarding}}
        )

    def fetch(self, url: str, *, method: str = "GET", data: bytes | None = None) -> tuple[int, str, str]:
        """Fetch without following redirects: status, Location, text."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port)
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), data)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get("Location", ""), text


def token_for(client: stripe.StripeClient, account: str, method: str = "pm_card_visa") -> str:
    """Create a confirmation token as the payment form would."""
    params: Any = {"payment_method": method}
    created = client.v1.test_helpers.confirmation_tokens.create(params, {"stripe_account": account})
    return created.id


def pay(client: stripe.StripeClient, account: str, *, key: str | None = None, **params: Any) -> stripe.PaymentIntent:
    """Create and confirm a payment of $125.00 with a fee of $2.50 unless told otherwise."""
    method = params.pop("method", "pm_card_visa")
    given: Any = {
        "amount": 12_500,
        "currency": "usd",
        "confirm": True,
        "use_stripe_sdk": True,
        "application_fee_amount": 250,
        "return_url": "http://acme.portal.localhost/pay/done/",
        "metadata": {"tenant": "acme"},
        **params,
    }
    given.setdefault("confirmation_token", token_for(client, account, method))
    options: Any = {"stripe_account": account, **({"idempotency_key": key} if key else {})}
    return client.v1.payment_intents.create(given, options)
