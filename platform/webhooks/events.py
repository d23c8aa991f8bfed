"""Which events matter and what each asks us to look at again; an event never tells us what is true."""

from __future__ import annotations

from typing import Literal

Subject = Literal["intent", "refund", "refunds", "dispute", "method", "setup", "account", "subscription"]

INTENT_TYPES = frozenset(
    {
        "payment_intent.processing",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.canceled",
        "charge.updated",
    }
)
REFUND_TYPES = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
# The charge of which something was refunded: every refund of its payment is looked at.
REFUNDS_TYPES = frozenset({"charge.refunded"})
METHOD_TYPES = frozenset(
    {
        "payment_method.attached",
        "payment_method.detached",
        "payment_method.updated",
        "payment_method.automatically_updated",
    }
)
SETUP_TYPES = frozenset({"setup_intent.succeeded", "setup_intent.setup_failed", "setup_intent.canceled"})
DISPUTE_PREFIX = "charge.dispute."
ACCOUNT_TYPES = frozenset({"account.updated", "capability.updated", "account.application.deauthorized"})
THIN_ACCOUNT_PREFIX = "v2.core.account"


# Of our own account: whoever is named there is looked at as a whole.
SUBSCRIPTION_PREFIX = "customer.subscription."
BILLING_TYPES = frozenset(
    {
        "checkout.session.completed",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.payment_action_required",
        "invoice.finalization_failed",
    }
)


def subject_of(event_type: str, scope: str = "connect") -> Subject | None:
    """Return what an event of an endpoint's scope is about, or None when nothing here depends on it."""
    if scope == "platform":
        is_billing = event_type in BILLING_TYPES or event_type.startswith(SUBSCRIPTION_PREFIX)
        return "subscription" if is_billing else None
    if event_type in INTENT_TYPES:
        return "intent"
    if event_type in REFUND_TYPES:
        return "refund"
    if event_type in REFUNDS_TYPES:
        return "refunds"
    if event_type in METHOD_TYPES:
        return "method"
    if event_type in SETUP_TYPES:
        return "setup"
    if event_type.startswith(DISPUTE_PREFIX):
        return "dispute"
    if event_type in ACCOUNT_TYPES or event_type.startswith(THIN_ACCOUNT_PREFIX):
        return "account"
    return None


def is_handled(event_type: str, scope: str = "connect") -> bool:
    """Whether anything here depends on events of this type."""
    return subject_of(event_type, scope) is not None
