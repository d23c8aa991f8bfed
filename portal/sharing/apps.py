"""Registers share links with Django."""

from django.apps import AppConfig


class SharingConfig(AppConfig):
    """Links to one record."""

    name = "portal.sharing"
    label = "sharing"

    def ready(self) -> None:
        """Register the mails that carry links."""
        from portal.sharing import handlers  # noqa: F401
