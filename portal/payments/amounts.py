"""What may be charged, and what part of it is the platform's; whole minor units throughout."""

from __future__ import annotations

# Stripe's smallest charge per currency; an amount below it is refused by us, in words, before it is by Stripe.
MINIMUM_CENTS = {"USD": 50, "CAD": 50, "EUR": 50, "GBP": 30, "JPY": 50}
MAXIMUM_CENTS = 99_999_999


def is_chargeable(amount_cents: int, currency: str) -> bool:
    """Whether Stripe takes a payment of this size."""
    return MINIMUM_CENTS.get(currency, 50) <= amount_cents <= MAXIMUM_CENTS


def compute_application_fee(amount_cents: int, basis_points: int) -> int:
    """Return the platform's part, rounded half up, never more than the amount; 0 means: leave it out."""
    return min(amount_cents, (amount_cents * basis_points + 5_000) // 10_000)
