"""What only time brings about: bank debits clearing or failing, late returns, slow refunds."""

from __future__ import annotations

from infra.stripe_double.disputes import open_dispute
from infra.stripe_double.double import Double, Scope
from infra.stripe_double.errors import Json, public
from infra.stripe_double.ledger import DAY, fail_refund, receipt_url
from infra.stripe_double.payments import succeed_intent
from infra.stripe_double.subscriptions import run_subscription_job


def advance_clock(double: Double, seconds: int) -> int:
    """Move the clock and carry out everything now due, oldest first; return the new time."""
    double.store.clock_offset += seconds
    now = double.store.now()
    for account in list(double.store.books):
        scope = double.scope(account)
        # One at a time: a job may schedule another one that is due as well.
        while due := [job for job in scope.book.jobs if job["due"] <= now]:
            job = min(due, key=lambda entry: entry["due"])
            scope.book.jobs.remove(job)
            _run(scope, job)
    double.store.dirty = True
    return now


SUBSCRIPTION_JOBS = ("period_end", "trial_will_end", "retry")


def _run(scope: Scope, job: Json) -> None:
    if job["kind"] in SUBSCRIPTION_JOBS:
        run_subscription_job(scope, job)
        return
    if job["kind"] == "refund":
        refund = scope.find("refund", job["id"])
        if job["outcome"] == "failed":
            fail_refund(scope, refund)
        else:
            refund["status"] = "succeeded"
            scope.emit("refund.updated", refund)
        return
    intent = scope.find("payment_intent", job["id"])
    charge = scope.find("charge", intent["latest_charge"])
    if job["kind"] == "late_return":
        # A debit is taken back once: what its payer's bank has asked about already, it does not take again.
        if not charge["disputed"]:
            open_dispute(scope, charge, reason="insufficient_funds", status="lost")
            # A returned debit ends the authorisation: the account cannot be debited again without a new one.
            scope.find("payment_method", charge["payment_method"])["_mandate_ended"] = True
    elif intent["status"] == "processing":
        _settle_bank_debit(scope, intent, charge, due=job["due"])


def _settle_bank_debit(scope: Scope, intent: Json, charge: Json, *, due: int) -> None:
    method = scope.find("payment_method", intent["payment_method"])
    behaviour, _, code = method["_behaviour"].partition(":")
    if behaviour == "fail":
        message = f"The customer's bank returned the payment: {code}."
        charge.update(status="failed", paid=False, failure_code=code, failure_message=message)
        error = {
            "type": "card_error",
            "code": code,
            "message": message,
            "charge": charge["id"],
            "payment_method": public(method),
        }
        intent.update(status="requires_payment_method", payment_method=None, last_payment_error=error)
        scope.emit("charge.failed", charge)
        scope.emit("payment_intent.payment_failed", intent)
        return
    charge.update(status="succeeded", paid=True, amount_captured=charge["amount"], captured=True)
    charge["receipt_url"] = receipt_url(scope, charge)
    succeed_intent(scope, intent, method, charge)
    if behaviour == "late_return":
        scope.book.jobs.append({"due": due + DAY, "kind": "late_return", "id": intent["id"]})
