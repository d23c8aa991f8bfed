"""Registers home with Django."""

from django.apps import AppConfig


class HomeConfig(AppConfig):
    """The first screen of the portal."""

    name = "portal.home"
    label = "home"
