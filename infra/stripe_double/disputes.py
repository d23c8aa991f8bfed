"""Disputes and bank returns: money taken back on the payer's word, and given back when the contractor wins."""

from __future__ import annotations

from infra.stripe_double.double import Scope
from infra.stripe_double.errors import Json, invalid
from infra.stripe_double.ledger import DAY, new_transaction

INQUIRY = "warning_needs_response"
ANSWERABLE = ("needs_response", "under_review", INQUIRY, "warning_under_review")
DISPUTE_FEE = 1500
# The words of Stripe's own test mode: evidence that decides a dispute.
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}


def open_dispute(scope: Scope, charge: Json, *, reason: str, status: str, amount: int | None = None) -> Json:
    """Dispute a charge; all but an inquiry takes the money (`amount`, or all of the charge) at once."""
    dispute = scope.create(
        "dispute",
        "du_1",
        amount=amount or charge["amount"],
        charge=charge["id"],
        currency=charge["currency"],
        payment_intent=charge["payment_intent"],
        reason=reason,
        status=status,
        balance_transactions=[],
        is_charge_refundable=status == INQUIRY,
        metadata={},
    )
    dispute["evidence_details"].update(due_by=scope.store.now() + 9 * DAY, enhanced_eligibility={})
    charge["disputed"] = True
    if status != INQUIRY:
        _withdraw(scope, dispute)
    scope.emit("charge.dispute.created", dispute)
    if status != INQUIRY:
        scope.emit("charge.dispute.funds_withdrawn", dispute)
    if status == "lost":
        scope.emit("charge.dispute.closed", dispute)
    return dispute


def escalate(scope: Scope, dispute: Json) -> Json:
    """Turn an inquiry into a dispute, which takes the money."""
    dispute.update(status="needs_response", is_charge_refundable=False)
    _withdraw(scope, dispute)
    scope.emit("charge.dispute.updated", dispute)
    scope.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def answer(scope: Scope, dispute: Json, text: str) -> Json:
    """Take evidence; Stripe's two magic words decide at once.

    Raises StripeError 400 when the dispute is closed.
    """
    _check_answerable(dispute)
    dispute["evidence_details"]["submission_count"] += 1
    if text in VERDICTS:
        return close(scope, dispute, VERDICTS[text])
    dispute["status"] = "warning_under_review" if dispute["status"].startswith("warning") else "under_review"
    scope.emit("charge.dispute.updated", dispute)
    return dispute


def give_in(scope: Scope, dispute: Json) -> Json:
    """Accept the dispute as lost.

    Raises StripeError 400 when it is closed.
    """
    _check_answerable(dispute)
    return close(scope, dispute, "lost")


def close(scope: Scope, dispute: Json, verdict: str) -> Json:
    """Decide a dispute; a win brings the money back, an inquiry just ends."""
    if dispute["status"].startswith("warning"):
        verdict = "warning_closed"
    dispute["status"] = verdict
    if verdict == "won":
        dispute["balance_transactions"].append(
            new_transaction(
                scope,
                type_="adjustment",
                amount=dispute["amount"],
                source=dispute["id"],
                currency=dispute["currency"],
            )
        )
        scope.emit("charge.dispute.funds_reinstated", dispute)
    scope.emit("charge.dispute.closed", dispute)
    return dispute


def _withdraw(scope: Scope, dispute: Json) -> None:
    by_card = dispute["charge"].startswith("ch_")
    dispute["balance_transactions"].append(
        new_transaction(
            scope,
            type_="adjustment",
            amount=-dispute["amount"],
            source=dispute["id"],
            currency=dispute["currency"],
            fee=DISPUTE_FEE if by_card else 0,
        )
    )


def _check_answerable(dispute: Json) -> None:
    if dispute["status"] not in ANSWERABLE:
        raise invalid(f"This dispute is already closed with the status {dispute['status']}.")
