"""Registers the interface package with Django."""

from django.apps import AppConfig

from portal.ui.sentences import speak_plainly


class UiConfig(AppConfig):
    """Static files, templates and template tags; holds no models."""

    name = "portal.ui"
    label = "ui"

    def ready(self) -> None:
        """Give every form its words."""
        speak_plainly()
