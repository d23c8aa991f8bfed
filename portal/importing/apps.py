"""Registers importing with Django."""

from django.apps import AppConfig


class ImportingConfig(AppConfig):
    """Customers and invoices from files of other systems."""

    name = "portal.importing"
    label = "importing"
