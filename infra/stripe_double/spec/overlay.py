"""What Stripe changed between the kept document and the version that the SDK speaks; the drift test finds the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Change:
    """One change, at the bodies of these paths or in these schemas, `inside` a nested property of them."""

    why: str
    places: tuple[str, ...]
    inside: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    added: dict[str, Any] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict)


INTENTS = ("/v1/payment_intents", "/v1/payment_intents/{intent}", "/v1/payment_intents/{intent}/confirm")
SETUPS = ("/v1/setup_intents", "/v1/setup_intents/{intent}")

CHANGES: tuple[Change, ...] = (
    Change(
        why="payment_method_types is refused; the dashboard decides, or what is allowed and excluded",
        places=(*INTENTS, *SETUPS, "/v1/checkout/sessions"),
        removed=("payment_method_types",),
    ),
    Change(
        why="Checkout is told what is allowed",
        places=("/v1/checkout/sessions", "checkout.session"),
        added={"allowed_payment_method_types": {"type": "array", "items": {"type": "string"}, "nullable": True}},
    ),
    Change(
        why="a portal's page may lead on when it is left",
        places=("/v1/billing_portal/sessions", "billing_portal.session"),
        added={"after_expiration": {"type": "object", "nullable": True}},
    ),
    Change(
        why="products still say what kind they are, though only the SDK knows of it",
        places=("product",),
        added={"type": {"type": "string", "enum": ["good", "service"]}},
    ),
    Change(
        why="an endpoint may ask for the versions after the document's own",
        places=("/v1/webhook_endpoints",),
        values={"api_version": ["2026-09-30.endive", "2026-10-28.endive"]},
    ),
    Change(
        why="account links no longer name the configurations they collect for",
        places=("/v2/core/account_links", "v2.core.account_link"),
        inside=("use_case", "account_onboarding"),
        removed=("configurations",),
    ),
    Change(
        why="requirements tell how else each of them could be met",
        places=("v2.core.account",),
        inside=("requirements",),
        added={"alternatives": {"type": "array", "items": {"type": "object"}}},
    ),
    Change(
        why="disputes tell the network's own reason and how the evidence is to be handed in",
        places=("dispute",),
        added={
            "intended_submission_method": {"type": "string", "nullable": True},
            "network_reason_code": {"type": "string", "nullable": True},
        },
    ),
)
