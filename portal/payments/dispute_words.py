"""Disputes in words: Stripe's reasons and states as the office understands them."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as mark

from portal.payments.models import Dispute

REASONS = {
    "fraudulent": mark("Says it was not them"),
    "product_not_received": mark("Says the work was not done"),
    "product_unacceptable": mark("Is not satisfied with the work"),
    "duplicate": mark("Says it was charged twice"),
    "credit_not_processed": mark("Waits for a refund"),
    "subscription_canceled": mark("Says it was canceled"),
    "unrecognized": mark("Does not recognize the payment"),
    "insufficient_funds": mark("Not enough money in the account"),
    "incorrect_account_details": mark("Wrong account details"),
    "bank_cannot_process": mark("The bank could not process it"),
    "debit_not_authorized": mark("Says the debit was not allowed"),
}
STATES = {
    "warning_needs_response": mark("The bank asks – no money moved yet"),
    "warning_under_review": mark("The bank looks at your answer"),
    "warning_closed": mark("The bank’s question is settled"),
    "prevented": mark("Dispute prevented"),
    "needs_response": mark("Disputed – answer in your Stripe dashboard"),
    "under_review": mark("Disputed – the bank looks at your answer"),
    "won": mark("Dispute won – the money is back"),
    "lost": mark("Taken back by the bank"),
}


def reason_words(reason: str) -> str:
    """Return why the payer's bank wants the money back; an unknown reason says no more than that."""
    return _(REASONS[reason]) if reason in REASONS else _("No reason given")


def state_words(dispute: Dispute) -> str:
    """Return how a dispute stands."""
    return _(STATES[dispute.status]) if dispute.status in STATES else _("Disputed")
