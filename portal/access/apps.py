"""Registers access with Django."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Who may see what: grants and the visibility policy."""

    name = "portal.access"
    label = "access"
