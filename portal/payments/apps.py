"""Registers payments with Django and tells the Stripe client when it must not be used."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Money from customers: attempts, payments, journal."""

    name = "portal.payments"
    label = "payments"

    def ready(self) -> None:
        """Register checks and outbox handlers; forbid calls to Stripe inside transactions (PAY-12)."""
        from infra.stripe_client import before_each_call
        from portal.payments import bank_handlers, checks, dispute_handlers, handlers, refund_handlers  # noqa: F401

        before_each_call(checks.leave_database)
