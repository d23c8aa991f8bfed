"""Takes an event in: checks its signature over the raw bytes and stores it once, before anybody answers (PAY-07)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import stripe
from django.conf import settings
from django.db import connection, transaction
from stripe._webhook import WebhookSignature

from billing.rows import find_tenant_of_customer
from infra.ids import uuid7
from infra.stripe_client import is_live
from tenants.payment_accounts import find_tenant_of_account
from tenants.scope import control_scope
from webhooks.events import is_handled
from webhooks.models import WebhookInbox
from webhooks.tasks import process_inbox

State = WebhookInbox.State
SCOPES = ("platform", "connect", "v2")
TOLERANCE_SECONDS = 300
# The hint to work on a fresh event may get lost; then the sweeper takes it after this time.
FIRST_SWEEP = timedelta(seconds=60)


class BadSignature(Exception):
    """Nobody who knows a secret of this endpoint signed these bytes just now (F12)."""


class BadEvent(Exception):
    """The bytes are signed but are no event."""


@dataclass(frozen=True, slots=True)
class Event:
    """The parts of an event by which it is stored and found."""

    id: str
    type: str
    account_id: str
    object_id: str
    object_type: str
    livemode: bool
    api_version: str
    created: datetime | None
    payload: dict[str, Any]


def receive_event(*, scope: str, body: bytes, signature: str, now: datetime) -> UUID:
    """Store a delivery and ask for its processing; raises BadSignature, BadEvent. Same event, same row (F9)."""
    _check_signature(scope, body, signature)
    event = read_event(body)
    with control_scope():
        return store_event(scope=scope, event=event, now=now)


def _check_signature(scope: str, body: bytes, signature: str) -> None:
    """Try every secret of this scope: there are two while one is being replaced."""
    for secret in getattr(settings.ENV, f"stripe_webhook_secrets_{scope}"):
        try:
            # The SDK's own check; construct_event would refuse the thin events of v2.
            WebhookSignature.verify_header(body.decode(), signature, secret, TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        return
    raise BadSignature


def read_event(body: bytes) -> Event:
    """Parse a signed body, snapshot or thin; raises BadEvent. Pure."""
    try:
        payload = json.loads(body)
        subject = (payload.get("data") or {}).get("object") or payload.get("related_object") or {}
        account = payload.get("account") or payload.get("context") or ""
        kind = subject.get("object") or subject.get("type") or ""
        if payload["object"] == "v2.core.event" and not account and kind == "v2.core.account":
            account = subject["id"]
        return Event(
            id=_text(payload["id"], 64),
            type=_text(payload["type"], 80),
            account_id=_text(account, 64),
            object_id=_text(_root_id(subject), 64),
            object_type=_text(kind, 40),
            livemode=bool(payload["livemode"]),
            api_version=_text(payload.get("api_version") or "", 40),
            created=_moment(payload.get("created")),
            payload=payload,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadEvent from error


def _root_id(subject: dict[str, Any]) -> str:
    """Return the object to look at again: a charge leads to its intent, what is ours to be paid to the customer."""
    if subject.get("object") in ("checkout.session", "subscription", "invoice"):
        customer = subject.get("customer") or ""
        return str(customer["id"] if isinstance(customer, dict) else customer)
    if subject.get("object") == "charge" and subject.get("payment_intent"):
        return str(subject["payment_intent"])
    return str(subject.get("id") or "")


def _text(value: Any, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise ValueError("not a text of this length")
    return value


def _moment(value: Any) -> datetime | None:
    if isinstance(value, int):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def store_event(*, scope: str, event: Event, now: datetime) -> UUID:
    """Insert the event or count one more delivery; must run in the control scope."""
    tenant_id = find_tenant(scope, event)
    state, error = _first_state(scope, event, tenant_id)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                INSERT,
                [
                    uuid7(),
                    event.id,
                    scope,
                    event.account_id,
                    tenant_id,
                    event.type,
                    event.object_id,
                    event.object_type,
                    event.livemode,
                    event.api_version,
                    event.created,
                    json.dumps(event.payload),
                    state,
                    now + FIRST_SWEEP,
                    now,
                    error,
                ],
            )
            inbox_id, is_first = cursor.fetchone()
        if is_first and state == State.RECEIVED:
            process_inbox.hint_after_commit(inbox_id=str(inbox_id))
    return UUID(str(inbox_id))


def find_tenant(scope: str, event: Event) -> UUID | None:
    """Return whom an event is about: by its account, or of our own account by the customer it names."""
    if scope == "platform":
        return find_tenant_of_customer(event.object_id) if event.object_id else None
    return find_tenant_of_account(event.account_id) if event.account_id else None


def _first_state(scope: str, event: Event, tenant_id: UUID | None) -> tuple[str, str]:
    """Decide what happens with a new event; our own confusion is parked, never refused and never guessed (F13)."""
    if event.livemode != is_live(settings.ENV):
        return State.PARKED, "livemode is not ours"
    if not is_handled(event.type, scope):
        return State.IGNORED, ""
    if tenant_id is None and scope == "platform":
        return State.PARKED, f"no company is the customer {event.object_id or '(none)'}"
    if tenant_id is None:
        return State.PARKED, f"no company has the account {event.account_id or '(none)'}"
    return State.RECEIVED, ""


INSERT = """
INSERT INTO webhooks_webhookinbox AS known
       (id, event_id, scope, account_id, tenant_id, type, object_id, object_type, livemode, api_version,
        stripe_created, payload, deliveries, state, attempts, next_at, received_at, error)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s, 0, %s, %s, %s)
ON CONFLICT (event_id) DO UPDATE SET deliveries = known.deliveries + 1
RETURNING id, xmax = 0
"""
