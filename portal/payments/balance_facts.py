"""Movements of an account's balance as facts, asked of Stripe; no database here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import stripe

from infra.stripe_client import tenant_stripe
from portal.payments.intents import AnswerUnknown
from portal.payments.refund_facts import id_of

PAGE = 100
# What customers' payments, refunds and disputes leave behind; payouts and Stripe's own bills are the company's affair.
CUSTOMER_TYPES = frozenset(
    {
        "charge",
        "payment",
        "refund",
        "payment_refund",
        "refund_failure",
        "payment_failure_refund",
        "payment_reversal",
        "adjustment",
    }
)
DISPUTES = ("du_", "dp_", "pdp_")


@dataclass(frozen=True, slots=True)
class BalanceMovement:
    """One movement; `source` is the charge, refund or dispute that made it."""

    id: str
    type: str
    amount_cents: int
    fee_cents: int
    currency: str
    source: str


def list_movements(account_id: str, *, since: datetime) -> list[BalanceMovement]:
    """Return the movements that customers made since a moment; raises AnswerUnknown."""
    params: Any = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
    try:
        found = tenant_stripe(account_id).v1.balance_transactions.list(params).auto_paging_iter()
        rows = [_read(each) for each in found]
    except stripe.StripeError as error:
        raise AnswerUnknown from error
    return [row for row in rows if _is_a_customers(row)]


def _read(txn: Any) -> BalanceMovement:
    raw: dict[str, Any] = txn.to_dict()
    return BalanceMovement(
        raw["id"], raw["type"], raw["amount"], raw.get("fee") or 0, raw["currency"].upper(), id_of(raw.get("source"))
    )


def _is_a_customers(row: BalanceMovement) -> bool:
    """Leave out adjustments that are no dispute, such as corrections by Stripe. Pure."""
    return row.type in CUSTOMER_TYPES and (row.type != "adjustment" or row.source.startswith(DISPUTES))
