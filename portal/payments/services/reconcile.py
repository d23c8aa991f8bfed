"""Compares the books with Stripe's, both ways, and keeps every difference as a task; money is never corrected here.

PAY-14, payments.md 3c.8 (R3, R4), datamodel.md 7.6.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import transaction

from portal.payments import balance_facts
from portal.payments.balance_facts import BalanceMovement
from portal.payments.intents import AnswerUnknown
from portal.payments.invariants import find_broken_invariants
from portal.payments.models import Journal, Payment, Refund
from portal.payments.services.settle import settle_intent
from tenants.audit import Actor, record
from tenants.context import TenantContext
from tenants.outbox import emit
from tenants.schema.models import IdempotencyKey

log = logging.getLogger("porchlight.payments")
SCOPE = "payments.difference"
# Stripe's clock and ours need not agree to the second, and a webhook gets a while to arrive.
SKEW = timedelta(minutes=2)
SETTLING = timedelta(minutes=15)
Kind = Literal["unknown_here", "unknown_there", "amount", "fee", "rule"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which the books and Stripe disagree, or a rule of the books that is broken."""

    kind: Kind
    ref: str
    ours_cents: int = 0
    stripe_cents: int = 0
    about: str = ""

    @property
    def key(self) -> str:
        """Return the name under which it is kept once."""
        return f"{self.kind}:{self.ref}"[:160]


def reconcile(*, context: TenantContext, account_id: str, since: datetime, now: datetime) -> list[Difference]:
    """Compare, keep what differs, close what no longer does; raises AnswerUnknown. Returns what differs.

    Must run outside any transaction.
    """
    _learn_late_movements(context, account_id, now)
    there = balance_facts.list_movements(account_id, since=since)
    found = compare(there, since=since, now=now)
    found += [
        Difference("rule", broken.rule, about=", ".join(broken.rows[:10])) for broken in find_broken_invariants(now)
    ]
    _keep(found, now)
    if found:
        log.error(
            "the books differ from stripe",
            extra={"tenant": str(context.tenant.id), "differences": len(found), "keys": [each.key for each in found]},
        )
    return found


def _learn_late_movements(context: TenantContext, account_id: str, now: datetime) -> None:
    """Look again at payments of which Stripe had not told the movement yet."""
    late = Payment.objects.filter(
        stripe_pi_id__isnull=False, stripe_balance_txn=None, succeeded_at__lt=now - SETTLING
    ).values_list("stripe_pi_id", flat=True)
    for intent_id in late:
        try:
            settle_intent(context=context, account_id=account_id, intent_id=str(intent_id), now=now)
        except AnswerUnknown:
            log.warning("a payment's movement could not be learnt", extra={"intent": intent_id})


def compare(there: list[BalanceMovement], *, since: datetime, now: datetime) -> list[Difference]:
    """Return what differs between Stripe's movements since a moment and the journal of the tenant in scope."""
    ours, fees = _our_movements([movement.id for movement in there])
    found = []
    for movement in there:
        if movement.id not in ours:
            found.append(Difference("unknown_here", movement.id, 0, movement.amount_cents, movement.type))
            continue
        if ours[movement.id] != movement.amount_cents:
            found.append(Difference("amount", movement.id, ours[movement.id], movement.amount_cents, movement.type))
        if fees.get(movement.id, 0) != movement.fee_cents:
            found.append(Difference("fee", movement.id, fees.get(movement.id, 0), movement.fee_cents, movement.type))
    known = {movement.id for movement in there}
    return found + _missing_there(known, since=since + SKEW, before=now - SETTLING)


def _our_movements(txns: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Return what the journal says of these movements of Stripe's balance: the amounts, and the fees kept of them."""
    effects: dict[str, tuple[str, str]] = {}
    payments = Payment.objects.filter(stripe_balance_txn__in=txns)
    for txn, intent in payments.values_list("stripe_balance_txn", "stripe_pi_id"):
        effects[str(txn)] = ("payment", str(intent))
    for column, kind in (("stripe_balance_txn", "refund"), ("failure_txn", "refund_failed")):
        made = Refund.objects.filter(**{f"{column}__in": txns})
        for txn, ref in made.values_list(column, "stripe_refund_id"):
            effects[str(txn)] = (kind, str(ref))
    sums: dict[tuple[str, str], int] = defaultdict(int)
    sources = [*txns, *(ref for _kind, ref in effects.values())]
    clearing = Journal.objects.filter(account=Journal.Account.STRIPE_CLEARING, source_id__in=sources)
    for kind, source, delta in clearing.values_list("kind", "source_id", "delta_cents"):
        sums[kind, source] += delta
        if kind in ("dispute", "dispute_reinstated"):
            effects[source] = (kind, source)
    amounts = {txn: sums[effect] for txn, effect in effects.items()}
    fees = {source: -delta for (kind, source), delta in sums.items() if kind == "fee"}
    return amounts, fees


def _missing_there(known: set[str], *, since: datetime, before: datetime) -> list[Difference]:
    """Return what the books say has moved and Stripe does not list."""
    found = []
    paid = Payment.objects.filter(
        stripe_pi_id__isnull=False, received_cents__gt=0, initiated_at__gte=since, succeeded_at__lt=before
    )
    for payment in paid:
        if payment.stripe_balance_txn not in known:
            found.append(Difference("unknown_there", str(payment.stripe_pi_id), payment.received_cents, 0, "charge"))
    made = Refund.objects.filter(stripe_refund_id__isnull=False, created_at__gte=since, created_at__lt=before)
    for refund in made.exclude(stripe_balance_txn=None):
        if refund.stripe_balance_txn not in known:
            found.append(Difference("unknown_there", str(refund.stripe_refund_id), -refund.amount_cents, 0, "refund"))
    return found


@transaction.atomic
def _keep(found: list[Difference], now: datetime) -> None:
    """Open a task for each new difference and close those that have gone by themselves."""
    keys = {each.key for each in found}
    rows = {row.key: row for row in IdempotencyKey.objects.select_for_update().filter(scope=SCOPE)}
    for row in rows.values():
        if row.key not in keys and not is_solved(row):
            _close(row, by="", note="", now=now)
    fresh = 0
    for each in found:
        known = rows.get(each.key)
        facts = {"kind": each.kind, "ref": each.ref, "about": each.about}
        amounts = {"ours_cents": each.ours_cents, "stripe_cents": each.stripe_cents}
        if known is None:
            response = {**facts, **amounts, "solved_at": None}
            IdempotencyKey.objects.create(scope=SCOPE, key=each.key, response=response, created_at=now)
            fresh += 1
        elif is_solved(known) and not (known.response or {}).get("solved_by"):
            response = {**facts, **amounts, "solved_at": None}
            IdempotencyKey.objects.filter(pk=known.pk).update(response=response)
            fresh += 1
    if fresh:
        payload = {"count": fresh}
        emit("payment.differences", key=f"differences:{now:%Y-%m-%d}", payload=payload, now=now)


def open_differences() -> list[IdempotencyKey]:
    """Return the differences that nobody has settled, oldest first."""
    rows = IdempotencyKey.objects.filter(scope=SCOPE, response__solved_at=None)
    return list(rows.order_by("created_at", "id"))


def is_solved(row: IdempotencyKey) -> bool:
    """Whether a difference has been settled, by somebody or by itself."""
    return bool((row.response or {}).get("solved_at"))


def settle_difference(*, key: str, note: str, by: Actor, now: datetime) -> bool:
    """Note that somebody has looked into a difference; True when it was open."""
    with transaction.atomic():
        row = IdempotencyKey.objects.select_for_update().filter(scope=SCOPE, key=key).first()
        if row is None or is_solved(row):
            return False
        _close(row, by=by.label or by.kind, note=note, now=now)
        record("difference.settled", by=by, now=now, after={"difference": key, "note": note[:300]})
    return True


def _close(row: IdempotencyKey, *, by: str, note: str, now: datetime) -> None:
    response: dict[str, Any] = {
        **(row.response or {}),
        "solved_at": now.isoformat(),
        "solved_by": by,
        "note": note[:300],
    }
    IdempotencyKey.objects.filter(pk=row.pk).update(response=response)
