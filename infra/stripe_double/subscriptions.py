"""Subscriptions over time: trials that end, periods that are charged, cards that are declined and tried again."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

from infra.stripe_double.double import Scope
from infra.stripe_double.errors import Json
from infra.stripe_double.templates import blank

DAY = 86_400
# Between a failed charge and the next try; after the last one the subscription is unpaid.
RETRY_DAYS = (3, 5, 7)
TRIAL_NOTICE = 3 * DAY
LIVING = ("active", "trialing", "past_due", "unpaid", "paused")


def start_subscription(
    scope: Scope, *, customer: Json, price: Json, method: Json, trial_days: int, metadata: Json
) -> Json:
    """Create a subscription and its first invoice, charged now unless a trial comes first."""
    now = scope.store.now()
    subscription = scope.create(
        "subscription",
        "sub_1",
        customer=customer["id"],
        currency=price["currency"],
        default_payment_method=method["id"],
        collection_method="charge_automatically",
        cancel_at_period_end=False,
        metadata=metadata,
        start_date=now,
        billing_cycle_anchor=now,
        status="incomplete",
    )
    ends = now + trial_days * DAY if trial_days else next_month(now)
    _set_item(scope, subscription, price, now, ends)
    if trial_days:
        subscription.update(status="trialing", trial_start=now, trial_end=ends, billing_cycle_anchor=ends)
        _plan_trial(scope, subscription)
    scope.emit("customer.subscription.created", subscription)
    bill(scope, subscription, reason="subscription_create")
    return subscription


def _set_item(scope: Scope, subscription: Json, price: Json, start: int, end: int) -> None:
    item = {
        **blank("subscription_item"),
        "id": scope.store.new_id("si_", 14),
        "created": scope.store.now(),
        "current_period_start": start,
        "current_period_end": end,
        "metadata": {},
        "price": price,
        "quantity": 1,
        "subscription": subscription["id"],
    }
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    subscription["items"] = {"object": "list", "data": [item], "has_more": False, "url": url}


def _plan_trial(scope: Scope, subscription: Json) -> None:
    """Remember when the trial is announced to end, and when it ends."""
    jobs = scope.book.jobs
    jobs[:] = [job for job in jobs if job["id"] != subscription["id"]]
    ends = subscription["trial_end"]
    if ends - TRIAL_NOTICE > scope.store.now():
        jobs.append({"due": ends - TRIAL_NOTICE, "kind": "trial_will_end", "id": subscription["id"]})
    jobs.append({"due": ends, "kind": "period_end", "id": subscription["id"]})


def move_trial(scope: Scope, subscription: Json, trial_end: int) -> None:
    """Let a trial end at another time."""
    subscription.update(trial_end=trial_end, billing_cycle_anchor=trial_end)
    subscription["items"]["data"][0]["current_period_end"] = trial_end
    _plan_trial(scope, subscription)


def run_subscription_job(scope: Scope, job: Json) -> None:
    """Carry out what was due at one moment of a subscription."""
    subscription = scope.find("subscription", job["id"])
    if subscription["status"] not in LIVING:
        return
    if job["kind"] == "trial_will_end":
        scope.emit("customer.subscription.trial_will_end", subscription)
    elif job["kind"] == "retry":
        try_to_collect(scope, subscription, scope.find("invoice", job["invoice"]), due=job["due"])
    elif subscription["cancel_at_period_end"]:
        end_subscription(scope, subscription)
    else:
        item = subscription["items"]["data"][0]
        item.update(current_period_start=job["due"], current_period_end=next_month(job["due"]))
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
        bill(scope, subscription, reason="subscription_cycle", due=job["due"])


def bill(scope: Scope, subscription: Json, *, reason: str, due: int | None = None) -> Json:
    """Make the invoice of the period that begins and try to collect it; a trial's is over nothing."""
    item = subscription["items"]["data"][0]
    trial = subscription["status"] == "trialing"
    amount = 0 if trial else int(item["price"]["unit_amount"])
    invoice = scope.create(
        "invoice",
        "in_1",
        customer=subscription["customer"],
        currency=subscription["currency"],
        billing_reason=reason,
        collection_method="charge_automatically",
        status="open",
        number=scope.store.new_id("", 8).upper(),
        amount_due=amount,
        amount_remaining=amount,
        subtotal=amount,
        total=amount,
        metadata={},
        period_start=item["current_period_start"],
        period_end=item["current_period_end"],
        parent={
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
        },
    )
    subscription["latest_invoice"] = invoice["id"]
    try_to_collect(scope, subscription, invoice, due=due)
    if subscription["status"] in LIVING and not trial:
        ends = {"due": item["current_period_end"], "kind": "period_end", "id": subscription["id"]}
        scope.book.jobs.append(ends)
    return invoice


def try_to_collect(scope: Scope, subscription: Json, invoice: Json, *, due: int | None = None) -> bool:
    """Charge an open invoice; a decline makes the subscription past due and plans the next try."""
    if invoice["status"] != "open":
        return True
    method = scope.book.kind("payment_method").get(str(subscription["default_payment_method"]))
    invoice.update(attempted=True, attempt_count=invoice["attempt_count"] + 1)
    declined = method is None or str(method["_behaviour"]).startswith("decline")
    if invoice["amount_due"] and declined:
        _note_failure(scope, subscription, invoice, scope.store.now() if due is None else due)
        return False
    invoice.update(status="paid", amount_paid=invoice["amount_due"], amount_remaining=0, next_payment_attempt=None)
    scope.emit("invoice.paid", invoice)
    if subscription["status"] != "trialing":
        subscription["status"] = "active"
    scope.emit("customer.subscription.updated", subscription)
    return True


def _note_failure(scope: Scope, subscription: Json, invoice: Json, at: int) -> None:
    tries = invoice["attempt_count"]
    if subscription["status"] != "incomplete":
        subscription["status"] = "past_due" if tries <= len(RETRY_DAYS) else "unpaid"
        if tries <= len(RETRY_DAYS):
            again = at + RETRY_DAYS[tries - 1] * DAY
            invoice["next_payment_attempt"] = again
            job = {"due": again, "kind": "retry", "id": subscription["id"], "invoice": invoice["id"]}
            scope.book.jobs.append(job)
    scope.emit("invoice.payment_failed", invoice)
    scope.emit("customer.subscription.updated", subscription)


def open_invoices(scope: Scope, subscription: Json) -> list[Json]:
    """Return what is still to be paid, oldest first."""
    rows = scope.book.kind("invoice").values()
    return [row for row in rows if row["status"] == "open" and subscription_of(row) == subscription["id"]]


def subscription_of(invoice: Json) -> str:
    """Return the subscription an invoice belongs to."""
    return str(((invoice["parent"] or {}).get("subscription_details") or {}).get("subscription") or "")


def end_subscription(scope: Scope, subscription: Json) -> None:
    """Cancel for good."""
    now = scope.store.now()
    subscription.update(status="canceled", canceled_at=subscription["canceled_at"] or now, ended_at=now)
    scope.emit("customer.subscription.deleted", subscription)


def next_month(at: int) -> int:
    """Return the same day of the next month, or its last."""
    moment = datetime.fromtimestamp(at, UTC)
    year, month = (moment.year + moment.month // 12, moment.month % 12 + 1)
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())
