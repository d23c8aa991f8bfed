"""Registers our own billing with Django."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """What companies pay us; its rows live with the tenancy layer."""

    name = "billing"
    label = "billing"

    def ready(self) -> None:
        """Register the handler of its mails."""
        from billing import handlers  # noqa: F401
