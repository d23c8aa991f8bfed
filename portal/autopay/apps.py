"""Registers autopay with Django."""

from django.apps import AppConfig


class AutopayConfig(AppConfig):
    """The rows are the payments' own; what is done with them is here."""

    name = "portal.autopay"
    label = "autopay"

    def ready(self) -> None:
        """Register the mails that follow."""
        from portal.autopay import handlers  # noqa: F401
