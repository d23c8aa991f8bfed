"""Idempotency as Stripe's v1 API has it: executed answers are replayed, validation errors are not kept."""

from __future__ import annotations

import hashlib
import json

from infra.stripe_double.errors import Json, StripeError
from infra.stripe_double.store import Store

# Stripe forgets a key of v1 "after they're at least 24 hours old"; the double does so on the second.
KEY_SECONDS = 24 * 3600


def slot_of(*, account: str, api_key: str, idempotency_key: str) -> str:
    """Name the record: keys are separate per account and per API key."""
    digest = hashlib.sha256(api_key.encode()).hexdigest()[:12]
    return f"{account}|{digest}|{idempotency_key}"


def fingerprint(path: str, params: Json) -> str:
    """Reduce a request to what must be equal for a replay."""
    return hashlib.sha256(f"{path}\n{json.dumps(params, sort_keys=True)}".encode()).hexdigest()


def find_saved(store: Store, slot: str, print_: str) -> tuple[int, Json] | None:
    """Return the saved answer for this key, if there is one and it is not a day old.

    Raises StripeError 400 idempotency_error when the key was first used with other parameters.
    """
    saved = store.idempotency.get(slot)
    if saved is None or store.now() - int(saved["at"]) >= KEY_SECONDS:
        return None
    if saved["fingerprint"] != print_:
        raise StripeError(
            400,
            "idempotency_error",
            "Keys for idempotent requests can only be used with the same parameters they were first used "
            f"with. Try using a key other than '{slot.split('|', 2)[2]}' if you meant to execute a different "
            "request.",
        )
    return int(saved["status"]), dict(saved["body"])


def save(store: Store, slot: str, print_: str, status: int, body: Json) -> None:
    """Keep an executed answer for replay."""
    store.idempotency[slot] = {"fingerprint": print_, "status": status, "body": body, "at": store.now()}
