"""Connects a company with Stripe: one account for ever, a link to Stripe's own form, state by looking (PAY-17)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import stripe
from django.db import transaction

from infra.stripe_client import platform_stripe
from portal.payments import ways
from portal.payments.plans import rules_of
from tenants.audit import Actor
from tenants.context import TenantContext
from tenants.payment_accounts import AccountState, read_payment_account, write_payment_account
from tenants.schema.models import IdempotencyKey

SCOPE = "stripe.account"
INCLUDE: list[Any] = ["configuration.merchant", "requirements"]


class StripeUnavailable(RuntimeError):
    """Stripe did not answer, or refused; nothing was lost, the same step can be taken again."""


def connect_account(*, context: TenantContext, email: str, by: Actor, now: datetime) -> str:
    """Return the company's account, creating it once; raises StripeUnavailable, AccountIsAnothers.

    Key and parameters are stored before the call: a crash after it finds the same account again.
    """
    known = read_payment_account(context.tenant.id)
    if known:
        ask_for_bank_payments(context=context, by=by, now=now)
        return known.account_id
    key = f"acct:{context.tenant.id}:v1"
    with transaction.atomic():
        row, _ = IdempotencyKey.objects.get_or_create(
            scope=SCOPE,
            key=key,
            defaults={"response": {"request": _account_request(context, email)}, "created_at": now},
        )
    stored: dict[str, Any] = row.response or {}
    account_id = stored.get("account")
    if not account_id:
        try:
            account = platform_stripe().v2.core.accounts.create(stored["request"], {"idempotency_key": key})
        except stripe.StripeError as error:
            raise StripeUnavailable from error
        account_id = account.id
        IdempotencyKey.objects.filter(pk=row.pk).update(response={**stored, "account": account_id})
    refresh_account(tenant_id=context.tenant.id, account_id=account_id, by=by, now=now)
    return str(account_id)


def _account_request(context: TenantContext, email: str) -> dict[str, Any]:
    """Return a full-dashboard account that bears its own fees and losses, as Stripe advises for platforms. Pure."""
    return {
        "contact_email": email,
        "display_name": context.tenant.display_name,
        "dashboard": "full",
        "identity": {"country": context.tenant.country.lower()},
        "configuration": {"merchant": {"capabilities": _capabilities(context)}},
        "defaults": {"responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}},
        "include": INCLUDE,
        "metadata": {"tenant": str(context.tenant.id)},
    }


def _capabilities(context: TenantContext) -> dict[str, Any]:
    """Return what the account is to be able to do: cards, and bank debits where the company takes them. Pure."""
    wanted: dict[str, Any] = {"card_payments": {"requested": True}}
    if wants_bank(context):
        wanted["ach_debit_payments"] = {"requested": True}
    return wanted


def wants_bank(context: TenantContext) -> bool:
    """Whether customers may pay from bank accounts; debits are in dollars only. Pure."""
    excluded = ways.excluded_types(rules_of(context.settings), context.tenant.currency)
    return "us_bank_account" not in excluded


def ask_for_bank_payments(*, context: TenantContext, by: Actor, now: datetime) -> bool:
    """Ask Stripe to let a connected company take bank debits, once it wants them; raises StripeUnavailable.

    Returns whether Stripe was asked. Asking again changes nothing. Must run outside any transaction.
    """
    known = read_payment_account(context.tenant.id)
    if known is None or known.disconnected_at or known.bank_payments or not wants_bank(context):
        return False
    wanted: Any = {"configuration": {"merchant": {"capabilities": {"ach_debit_payments": {"requested": True}}}}}
    try:
        platform_stripe().v2.core.accounts.update(known.account_id, wanted)
    except stripe.StripeError as error:
        raise StripeUnavailable from error
    refresh_account(tenant_id=context.tenant.id, account_id=known.account_id, by=by, now=now)
    return True


def create_onboarding_link(*, account_id: str, return_url: str, refresh_url: str) -> str:
    """Return a short-lived address of Stripe's form for this account; raises StripeUnavailable."""
    addresses: Any = {"refresh_url": refresh_url, "return_url": return_url}
    try:
        link = platform_stripe().v2.core.account_links.create(
            {"account": account_id, "use_case": {"type": "account_onboarding", "account_onboarding": addresses}}
        )
    except stripe.StripeError as error:
        raise StripeUnavailable from error
    return link.url


def refresh_account(*, tenant_id: UUID, account_id: str, by: Actor, now: datetime) -> AccountState:
    """Look at the account and store what it is; raises StripeUnavailable, AccountIsAnothers.

    State never comes from the return address or an event's body: both only say "look again".
    """
    try:
        account = platform_stripe().v2.core.accounts.retrieve(account_id, {"include": INCLUDE})
    except (stripe.PermissionError, stripe.AuthenticationError) as error:
        # The company has disconnected us: from now on the account is out of our reach (F22).
        known = read_payment_account(tenant_id)
        if known is None:
            raise StripeUnavailable from error
        state = AccountState(
            account_id, known.livemode, "inactive", known.details_submitted, (), True, known.bank_payments
        )
    except stripe.StripeError as error:
        raise StripeUnavailable from error
    else:
        state = read_state(account)
    write_payment_account(tenant_id=tenant_id, state=state, by=by, now=now)
    return state


def read_state(account: Any) -> AccountState:
    """Reduce Stripe's v2 account to what we keep. Pure."""
    raw: dict[str, Any] = account.to_dict()
    merchant = (raw.get("configuration") or {}).get("merchant") or {}
    capabilities = merchant.get("capabilities") or {}
    entries = (raw.get("requirements") or {}).get("entries") or []
    mine = [entry for entry in entries if entry.get("awaiting_action_from") == "user"]
    blocking = {(entry.get("minimum_deadline") or {}).get("status") for entry in mine}
    return AccountState(
        account_id=raw["id"],
        livemode=bool(raw.get("livemode")),
        card_payments=(capabilities.get("card_payments") or {}).get("status") or "inactive",
        bank_payments=(capabilities.get("ach_debit_payments") or {}).get("status") or "",
        details_submitted=not blocking & {"past_due", "currently_due"},
        requirements=tuple(entry.get("description") or "" for entry in mine),
        disconnected=bool(raw.get("closed")),
    )
