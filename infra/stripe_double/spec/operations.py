"""Which of Stripe's operations the kept document describes: those the double serves, and those it is to serve next."""

from __future__ import annotations

Operation = tuple[str, str]

# Written here before they are written in `resources/`, so that the document need not be cut again for each of them.
NEXT: tuple[Operation, ...] = (
    ("POST", "/v1/account_links"),
    ("POST", "/v1/account_sessions"),
    ("POST", "/v1/accounts/{account}"),
    ("GET", "/v1/balance"),
    ("POST", "/v1/billing_portal/configurations"),
    ("POST", "/v1/billing_portal/sessions"),
    ("GET", "/v1/checkout/sessions"),
    ("POST", "/v1/checkout/sessions"),
    ("GET", "/v1/checkout/sessions/{session}"),
    ("POST", "/v1/checkout/sessions/{session}/expire"),
    ("POST", "/v1/customer_sessions"),
    ("GET", "/v1/customers/{customer}/payment_methods/{payment_method}"),
    ("GET", "/v1/invoices"),
    ("GET", "/v1/invoices/{invoice}"),
    ("POST", "/v1/invoices/{invoice}/pay"),
    ("GET", "/v1/mandates/{mandate}"),
    ("POST", "/v1/payment_intents/{intent}/verify_microdeposits"),
    ("POST", "/v1/payment_methods/{payment_method}"),
    ("GET", "/v1/payouts"),
    ("GET", "/v1/prices"),
    ("POST", "/v1/prices"),
    ("GET", "/v1/prices/{price}"),
    ("POST", "/v1/prices/{price}"),
    ("GET", "/v1/products"),
    ("POST", "/v1/products"),
    ("GET", "/v1/products/{id}"),
    ("POST", "/v1/products/{id}"),
    ("POST", "/v1/refunds/{refund}"),
    ("POST", "/v1/refunds/{refund}/cancel"),
    ("GET", "/v1/setup_intents"),
    ("POST", "/v1/setup_intents"),
    ("GET", "/v1/setup_intents/{intent}"),
    ("POST", "/v1/setup_intents/{intent}"),
    ("POST", "/v1/setup_intents/{intent}/cancel"),
    ("POST", "/v1/setup_intents/{intent}/confirm"),
    ("POST", "/v1/setup_intents/{intent}/verify_microdeposits"),
    ("GET", "/v1/subscriptions"),
    ("POST", "/v1/subscriptions"),
    ("DELETE", "/v1/subscriptions/{subscription_exposed_id}"),
    ("GET", "/v1/subscriptions/{subscription_exposed_id}"),
    ("POST", "/v1/subscriptions/{subscription_exposed_id}"),
    ("POST", "/v1/webhook_endpoints/{webhook_endpoint}"),
    ("POST", "/v2/core/accounts/{id}"),
    ("POST", "/v2/core/accounts/{id}/close"),
)

# Only a browser sends these, with a publishable key; Stripe does not publish them.
UNPUBLISHED: frozenset[Operation] = frozenset({("POST", "/v1/confirmation_tokens")})


def served() -> set[Operation]:
    """Return what the double serves today and Stripe publishes."""
    import infra.stripe_double.resources  # noqa: F401  (registers the operations)
    from infra.stripe_double.routing import ROUTES

    return {(route.method, route.template) for route in ROUTES} - UNPUBLISHED
