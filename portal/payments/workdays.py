"""Days on which banks work, as far as a promise in a mail needs to know them."""

from __future__ import annotations

from datetime import date, timedelta

# Stripe settles a bank debit within four of them (payments.md 5).
DEBIT_DAYS = 4


def add_workdays(day: date, count: int) -> date:
    """Return the day so many working days later; Saturdays and Sundays do not count. Pure."""
    while count > 0:
        day += timedelta(days=1)
        if day.weekday() < 5:
            count -= 1
    return day


def clears_by(started: date) -> date:
    """Return by when a bank debit that started on a day has usually cleared. Pure."""
    return add_workdays(started, DEBIT_DAYS)
