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

from infra.ids import uuid7
from infra.stripe_client import is_live
from tenants.audit import Actor, first_key_of, record_control
from tenants.models import PlatformAuditEvent
from tenants.scope import control_scope
from webhooks.events import is_handled
from webhooks.models import WebhookInbox
from webhooks.tasks import process_inbox

State = WebhookInbox.State
SCOPES = ("platform", "connect", "v2")
TOLERANCE_SECONDS = 300
# The hint to work on a fresh event may get lost; then the sweeper takes it after this time.
FIRST_SWEEP = timedelta(seconds=60)
REFUSED = "webhook.refused"
REFUSALS_EVERY = timedelta(minutes=1)
STRANGER = Actor("visitor", None, "somebody", surface="webhook")
STRIPE = Actor("system", None, "Stripe", surface="webhook")


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


def note_refused(*, scope: str, reason: str, now: datetime, by: Actor = STRANGER) -> None:
    """Audit that a delivery was refused, once a minute for each cause: whoever knocks must not fill the books (F12)."""
    with control_scope(), transaction.atomic():
        known = PlatformAuditEvent.objects.filter(pk__gte=first_key_of(now - REFUSALS_EVERY), action=REFUSED)
        if not known.filter(target=scope, reason=reason).exists():
            record_control(REFUSED, by=by, now=now, target=scope, reason=reason, result="denied")


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
    """Insert the event or count one more delivery, in one statement; must run in the control scope.

    Outside a transaction it is durable when this returns, and the hint goes out only then. What is parked at once is
    audited as refused.
    """
    state, error = _first_state(event, scope)
    params: dict[str, Any] = {
        "id": uuid7(),
        "event": event.id,
        "scope": scope,
        "account": event.account_id,
        "owner": event.object_id if scope == "platform" else event.account_id,
        "type": event.type,
        "object": event.object_id,
        "object_type": event.object_type,
        "livemode": event.livemode,
        "api_version": event.api_version,
        "created": event.created,
        "payload": json.dumps(event.payload),
        "state": state,
        "next_at": now + FIRST_SWEEP,
        "now": now,
        "error": error,
        "nobody": f"no company {'is the customer' if scope == 'platform' else 'has the account'} ",
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT_PLATFORM if scope == "platform" else INSERT_CONNECT, params)
        inbox_id, state, refused = cursor.fetchone()
    # Also when it is told again: somebody may have passed by the row while it was being counted up.
    if state == State.RECEIVED:
        process_inbox.hint_after_commit()
    # Not with the row, which is written in one statement: whoever dies in between has not answered, and is told again.
    if refused:
        note_refused(scope=scope, reason=refused, now=now, by=STRIPE)
    return UUID(str(inbox_id))


def _first_state(event: Event, scope: str) -> tuple[str, str]:
    """Decide what happens with a new event whose company is known; our own confusion is parked, never refused (F13)."""
    if event.livemode != is_live(settings.ENV):
        return State.PARKED, "livemode is not ours"
    return (State.RECEIVED if is_handled(event.type, scope) else State.IGNORED), ""


# Whom an event is about follows from its account, or of our own account from the customer it names; what has nobody
# is parked and never guessed (PAY-08). The last column says why it was refused here: later reasons come with a try.
_INSERT = """
INSERT INTO webhooks_webhookinbox AS known
       (id, event_id, scope, account_id, tenant_id, type, object_id, object_type, livemode, api_version,
        stripe_created, payload, deliveries, state, attempts, next_at, received_at, error)
SELECT %(id)s, %(event)s, %(scope)s, %(account)s, owner.id, %(type)s, %(object)s, %(object_type)s, %(livemode)s,
       %(api_version)s, %(created)s, %(payload)s, 1,
       CASE WHEN owner.is_missing THEN 'parked' ELSE %(state)s END, 0, %(next_at)s, %(now)s,
       CASE WHEN owner.is_missing THEN %(nobody)s || coalesce(nullif(%(owner)s, ''), '(none)') ELSE %(error)s END
  FROM (SELECT named.id, named.id IS NULL AND %(state)s = 'received' AS is_missing
          FROM (SELECT ({owner} = nullif(%(owner)s, '')) AS id) AS named) AS owner
    ON CONFLICT (event_id) DO UPDATE SET deliveries = known.deliveries + 1
RETURNING known.id, known.state, CASE WHEN known.attempts = 0 THEN known.error ELSE '' END
"""
INSERT_CONNECT = _INSERT.format(owner="SELECT tenant_id FROM tenants_paymentaccount WHERE account_id")
INSERT_PLATFORM = _INSERT.format(owner="SELECT tenant_id FROM tenants_subscription WHERE stripe_customer_id")
