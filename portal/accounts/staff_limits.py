"""How often a staff password may be wrong and a reset asked for, counted in the audit itself (AUN-19)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import connection

from portal.accounts.client import Client
from tenants.audit import Actor, count_events
from tenants.schema.models import AuditEvent
from tenants.scope import current_scope

WINDOW = timedelta(minutes=15)
FAILED = "staff.sign_in_failed"
RESET_ASKED = "staff.reset_asked"
PER_ADDRESS_AND_IP = 5
PER_ADDRESS = 50
PER_IP = 30
RESETS_PER_ADDRESS = 3
RESETS_PER_IP = 10
RESET_WINDOW = timedelta(hours=1)


class TooManyTries(Exception):
    """The limit is reached; `wait_seconds` says when the next try is allowed."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"Wait {wait_seconds} seconds.")
        self.wait_seconds = wait_seconds


def address_id(email: str) -> UUID:
    """Return the id under which tries for an address are counted, known or not."""
    return uuid5(NAMESPACE_URL, f"staff-address:{email}")


def take_turn(email: str) -> None:
    """Let one try per address run at a time until the transaction ends; raises TooManyTries.

    Otherwise tries that run side by side would not see one another's failures.
    """
    key = hashlib.sha256(f"{current_scope().tenant_id}:{email}".encode()).digest()[:8]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(key, "big", signed=True)])
        row = cursor.fetchone()
    if not row or not row[0]:
        raise TooManyTries(1)


def refuse_guessing(*, email: str, client: Client, now: datetime) -> None:
    """Raise TooManyTries when this address or this client has failed too often.

    A single client is stopped early; an address as a whole late, so that a stranger cannot keep its owner out.
    """
    since = now - WINDOW
    failed = AuditEvent.objects.filter(action=FAILED, at__gt=since)
    of_address = list(failed.filter(object_id=address_id(email)).values_list("ip", flat=True)[:PER_ADDRESS])
    here = sum(1 for ip in of_address if ip == client.ip)
    too_many = len(of_address) >= PER_ADDRESS or here >= PER_ADDRESS_AND_IP
    if too_many or count_events(FAILED, since=since, ip=client.ip) >= PER_IP:
        raise TooManyTries(int(WINDOW.total_seconds()))


def may_ask_for_reset(*, email: str, client: Client, now: datetime) -> bool:
    """Whether one more reset mail may be asked for; the answer to the visitor is the same either way (AUN-14)."""
    since = now - RESET_WINDOW
    asked = AuditEvent.objects.filter(action=RESET_ASKED, at__gt=since, object_id=address_id(email)).count()
    return asked < RESETS_PER_ADDRESS and count_events(RESET_ASKED, since=since, ip=client.ip) < RESETS_PER_IP


def note_try(action: str, *, email: str, client: Client, now: datetime) -> None:
    """Write down one try in the audit, where the limits find it."""
    by = Actor("visitor", None, email, client.ip, client.request_id)
    AuditEvent.objects.create(
        at=now,
        actor_kind=by.kind,
        actor_label=by.label[:200],
        action=action,
        object_kind="staff_address",
        object_id=address_id(email),
        ip=by.ip,
        request_id=by.request_id,
    )
