"""Registers the composition root with Django: its management commands run the whole product."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Settings, URL maps, entry points."""

    name = "config"
    label = "config"
