"""Faults waiting to happen: to API answers and to webhook deliveries."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from infra.stripe_double.errors import Json, invalid

API_KINDS = {"500", "503", "429", "409", "reset", "500_after", "500_saved", "timeout_after"}
WEBHOOK_KINDS = {"duplicate", "delay", "hold", "drop", "tamper", "stale"}


@dataclass
class ApiFault:
    """One fault for requests whose method and path match."""

    kind: str
    method: str
    path: str
    times: int
    seconds: float


@dataclass
class WebhookFault:
    """One fault for the next deliveries of the given types (none given: any type)."""

    kind: str
    types: tuple[str, ...]
    times: int
    seconds: float


@dataclass
class FaultBox:
    """The queues of faults; each entry is used up after `times` hits."""

    api: list[ApiFault] = field(default_factory=list)
    webhook: list[WebhookFault] = field(default_factory=list)

    def add(self, body: Json) -> None:
        """Queue the faults of a control request.

        Raises StripeError 400 for a kind that does not exist, so that a test cannot pass by a typing error.
        """
        for target, kinds in (("api", API_KINDS), ("webhook", WEBHOOK_KINDS)):
            for entry in body.get(target, []):
                kind = entry.get("kind") if isinstance(entry, dict) else entry
                if kind not in kinds or not isinstance(entry, dict):
                    raise invalid(f"Unknown {target} fault: {kind}; one of {', '.join(sorted(kinds))}")
        for entry in body.get("api", []):
            self.api.append(
                ApiFault(
                    kind=entry["kind"],
                    method=str(entry.get("method", "POST")).upper(),
                    path=str(entry.get("path", "")),
                    times=int(entry.get("times", 1)),
                    seconds=float(entry.get("seconds", 1.0)),
                )
            )
        for entry in body.get("webhook", []):
            self.webhook.append(
                WebhookFault(
                    kind=entry["kind"],
                    types=tuple(entry.get("types", ())),
                    times=int(entry.get("times", 1)),
                    seconds=float(entry.get("seconds", 0.05)),
                )
            )

    def take_api(self, method: str, path: str) -> ApiFault | None:
        """Use up one hit of the first fault for this request."""
        for fault in self.api:
            if fault.method == method and re.search(fault.path, path):
                fault.times -= 1
                if fault.times <= 0:
                    self.api.remove(fault)
                return fault
        return None

    def take_webhook(self, event_type: str) -> WebhookFault | None:
        """Use up one hit of the first fault for this event type."""
        for fault in self.webhook:
            if not fault.types or event_type in fault.types:
                fault.times -= 1
                if fault.times <= 0:
                    self.webhook.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Drop every fault."""
        self.api.clear()
        self.webhook.clear()
