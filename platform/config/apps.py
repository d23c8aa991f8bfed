"""Registers the composition root with Django: its management commands run the whole product."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Settings, URL maps, entry points."""

    name = "config"
    label = "config"

    def ready(self) -> None:
        """Let no connection be used before it is known that it is a session of its own."""
        from config.start import watch_connections

        watch_connections()
