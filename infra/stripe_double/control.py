"""The control plane under `/_double/`: what a test or a demonstrator does to the double."""

from __future__ import annotations

import json
import re

from infra.stripe_double.disputes import escalate, open_dispute
from infra.stripe_double.double import Double
from infra.stripe_double.errors import Json, invalid
from infra.stripe_double.settlement import advance_clock


def run_control(double: Double, method: str, path: str, raw: bytes) -> Json:
    """Carry out one control request.

    Raises StripeError 400/404 for a body or path that means nothing.
    """
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise invalid("The control plane takes JSON.") from error
    if not isinstance(body, dict):
        raise invalid("The control plane takes a JSON object.")
    action = re.sub(r"^/_double/", "", path)
    with double.lock:
        if (method, action) == ("GET", "state"):
            return state_of(double)
        if method == "POST" and action == "reset":
            double.reset()
            return {"reset": True}
        if method == "POST" and action == "advance":
            return {"now": advance_clock(double, _seconds(body))}
        if method == "POST" and action == "faults":
            double.faults.add(body)
            return {"api": len(double.faults.api), "webhook": len(double.faults.webhook)}
        if method == "POST" and action == "release":
            return {"released": double.deliverer.release(reverse=bool(body.get("reverse")))}
        if method == "POST" and action == "dispute":
            return {"dispute": _dispute(double, body)["id"]}
        if method == "POST" and action == "redeliver":
            return {"queued": double.deliverer.redeliver(str(body.get("event")))}
    raise invalid(f"No such control: {method} {path}", status=404)


def _dispute(double: Double, body: Json) -> Json:
    """Dispute a payment of an account by its intent, or take an inquiry further."""
    scope = double.scope(str(body.get("account")))
    if body.get("escalate"):
        return escalate(scope, scope.find("dispute", str(body["escalate"])))
    intent = scope.find("payment_intent", str(body.get("payment_intent")))
    charge = scope.find("charge", intent["latest_charge"])
    status, reason = str(body.get("status", "needs_response")), str(body.get("reason", "fraudulent"))
    return open_dispute(scope, charge, reason=reason, status=status, amount=body.get("amount"))


def _seconds(body: Json) -> int:
    try:
        return int(body.get("seconds", 0)) + 86_400 * int(body.get("days", 0))
    except (TypeError, ValueError) as error:
        raise invalid("seconds and days must be whole numbers.") from error


def state_of(double: Double) -> Json:
    """Describe what happened so far: requests, deliveries, violations, objects by account."""
    store = double.store
    return {
        "not_stripe": "This is the local stand-in for Stripe.",
        "now": store.now(),
        "violations": store.violations,
        "requests": store.requests,
        "deliveries": store.deliveries,
        "webhooks": double.deliverer.outstanding,
        "faults": {"api": len(double.faults.api), "webhook": len(double.faults.webhook)},
        "accounts": {
            name: {kind: len(rows) for kind, rows in book.objects.items() if not kind.startswith("_")}
            for name, book in store.books.items()
        },
    }
