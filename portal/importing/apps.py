"""Registers importing with Django."""

from django.apps import AppConfig


class ImportingConfig(AppConfig):
    """Customers and invoices from files of other systems."""

    name = "portal.importing"
    label = "importing"

    def ready(self) -> None:
        """Make the background work known to the broker and to the outbox."""
        from portal.importing import tasks  # noqa: F401
