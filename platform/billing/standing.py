"""How a company stands with us: in its trial, paying, or owing; decided in one place from facts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

Standing = Literal["trial", "paying", "owing"]

PAYING = ("active", "trialing")
# Subscriptions that live at Stripe: there can be one of them, and it is looked after in the billing portal.
LIVING = (*PAYING, "past_due", "unpaid", "paused")


def decide_standing(*, status: str, trial_ends_at: datetime, now: datetime) -> Standing:
    """Return the standing by Stripe's status and our trial. Pure.

    A subscription in its own trial has a card and will be charged: nothing is asked of the company any more.
    """
    if status in PAYING:
        return "paying"
    if status in LIVING:
        return "owing"
    return "trial" if now < trial_ends_at else "owing"
