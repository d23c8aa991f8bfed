"""Registers statements with Django."""

from django.apps import AppConfig


class StatementsConfig(AppConfig):
    """Statements have no tables: they are read from invoices and the journal."""

    name = "portal.statements"
    label = "statements"

    def ready(self) -> None:
        """Register what follows the wish for a statement by mail."""
        from portal.statements import handlers  # noqa: F401
