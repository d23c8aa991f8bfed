"""Registers console with Django."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The operators' console."""

    name = "console"
    label = "console"
