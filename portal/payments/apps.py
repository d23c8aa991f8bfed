"""Registers payments with Django."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Money from customers: attempts, payments, journal."""

    name = "portal.payments"
    label = "payments"
