"""Has every company's books compared with Stripe's once a night (payments.md 3c.8, R3 and R4)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from portal.payments.intents import AnswerUnknown
from portal.payments.services.reconcile import Difference, reconcile
from tenants.audit import SYSTEM, record_control
from tenants.context import IdentityMismatch, UnknownTenant, serving
from tenants.models import PaymentAccount
from tenants.scope import control_scope
from webhooks.models import StripeCursor

log = logging.getLogger("porchlight.webhooks")
KIND = "balance"
NIGHTLY = timedelta(hours=20)
# Every night looks back a week: what was missed or corrected late is found on one of seven nights.
LOOK_BACK = timedelta(days=7)


def due_accounts(now: datetime) -> list[tuple[UUID, str, datetime]]:
    """Return tenant, account and beginning of every account whose books were not compared today."""
    with control_scope():
        accounts = list(PaymentAccount.objects.filter(disconnected_at=None).order_by("account_id"))
        done = dict(
            StripeCursor.objects.filter(kind=KIND, last_created__gt=now - NIGHTLY).values_list(
                "account_id", "last_created"
            )
        )
    return [
        (account.tenant_id, account.account_id, max(account.created_at, now - LOOK_BACK))
        for account in accounts
        if account.account_id not in done
    ]


def reconcile_all(*, now: datetime) -> int:
    """Compare what is due and return how many differences there are; one account's fault does not stop the others."""
    total = 0
    for tenant_id, account_id, since in due_accounts(now):
        try:
            total += len(reconcile_account(tenant_id=tenant_id, account_id=account_id, since=since, now=now))
        except AnswerUnknown as error:
            # Stripe is away, or the company has disconnected us: the next hour tries again (F22, F23).
            log.warning("books not compared", extra={"account": account_id, "error": repr(error.__cause__)})
        except (UnknownTenant, IdentityMismatch):
            log.exception("a company cannot be served", extra={"tenant": str(tenant_id)})
    return total


def reconcile_account(*, tenant_id: UUID, account_id: str, since: datetime, now: datetime) -> list[Difference]:
    """Compare one company's books and note it for the operators; raises AnswerUnknown."""
    with serving(tenant_id, now) as context:
        found = reconcile(context=context, account_id=account_id, since=since, now=now)
    with control_scope(), transaction.atomic():
        StripeCursor.objects.update_or_create(account_id=account_id, kind=KIND, defaults={"last_created": now})
        if found:
            record_control(
                "payments.books_differ",
                by=SYSTEM,
                now=now,
                tenant_id=tenant_id,
                target=account_id,
                after={"differences": len(found), "kinds": sorted({each.kind for each in found})},
                visible_to_tenant=True,
            )
    log.info("books compared", extra={"account": account_id, "differences": len(found)})
    return found
