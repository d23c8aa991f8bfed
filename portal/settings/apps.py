"""Registers settings with Django."""

from django.apps import AppConfig


class CompanyConfig(AppConfig):
    """The company itself and what its owner decides."""

    name = "portal.settings"
    label = "company"
