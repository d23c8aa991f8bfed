"""Registers home with Django."""

from django.apps import AppConfig


class HomeConfig(AppConfig):
    """The first screen of the portal."""

    name = "portal.home"
    label = "home"

    def ready(self) -> None:
        """Register what follows an invitation or the wish for a link."""
        from portal.home import handlers  # noqa: F401
