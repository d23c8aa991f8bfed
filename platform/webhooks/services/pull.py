"""Reads the accounts' event lists, so that a lost webhook is late and not lost (payments.md 3c.8, R2)."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any

import stripe
from django.db import transaction

from infra.stripe_client import tenant_stripe
from tenants.models import PaymentAccount
from tenants.scope import control_scope
from webhooks.events import is_handled
from webhooks.models import StripeCursor
from webhooks.services.receive import read_event, store_event

log = logging.getLogger("porchlight.webhooks")
KIND = "events"
OVERLAP = timedelta(hours=2)
# Stripe keeps events for thirty days.
FURTHEST = timedelta(days=29)
PAGE = 100


def pull_all_events(*, now: datetime) -> None:
    """Read every connected account's events since the last time; one account's fault does not stop the others."""
    with control_scope():
        accounts = PaymentAccount.objects.filter(disconnected_at=None)
        known = list(accounts.order_by("account_id").values_list("account_id", "created_at"))
    for account_id, created_at in known:
        try:
            pull_events(account_id=account_id, connected_at=created_at, now=now)
        except stripe.StripeError as error:
            log.warning("events could not be read", extra={"account": account_id, "error": repr(error)})


def pull_events(*, account_id: str, connected_at: datetime, now: datetime) -> int:
    """Store what was missed and return how many handled events were read; raises stripe.StripeError."""
    with control_scope():
        cursor = StripeCursor.objects.filter(account_id=account_id, kind=KIND).first()
    since = max((cursor.last_created if cursor else connected_at) - OVERLAP, now - FURTHEST)
    params: Any = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
    read = 0
    for found in tenant_stripe(account_id).v1.events.list(params).auto_paging_iter():
        if not is_handled(found.type):
            continue
        # The list is the account's own and need not name it again; what it says is parsed like any delivery.
        event = read_event(json.dumps({**found.to_dict(), "account": account_id}).encode())
        with control_scope():
            store_event(scope="connect", event=event, now=now)
        read += 1
    with control_scope(), transaction.atomic():
        StripeCursor.objects.update_or_create(account_id=account_id, kind=KIND, defaults={"last_created": now})
    return read
