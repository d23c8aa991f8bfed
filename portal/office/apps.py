"""Registers office with Django."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """The staff's screens."""

    name = "portal.office"
    label = "office"

    def ready(self) -> None:
        """Register what is mailed to staff."""
        from portal.accounts import staff_handlers  # noqa: F401
