"""Registers office with Django."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """The staff's screens."""

    name = "portal.office"
    label = "office"
