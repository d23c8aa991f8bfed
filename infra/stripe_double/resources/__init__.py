"""The API operations the double has; importing this package registers them."""

from infra.stripe_double.resources import (
    accounts,
    billing,
    confirmation_tokens,
    customers,
    events,
    money,
    payment_intents,
    payment_methods,
    setup_intents,
)

__all__ = [
    "accounts",
    "billing",
    "confirmation_tokens",
    "customers",
    "events",
    "money",
    "payment_intents",
    "payment_methods",
    "setup_intents",
]
