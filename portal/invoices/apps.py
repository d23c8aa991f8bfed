"""Registers invoices with Django."""

from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    """Invoices as the customer sees them."""

    name = "portal.invoices"
    label = "invoices"
