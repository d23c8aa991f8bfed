"""Registers the interface package with Django."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """Static files, templates and template tags; holds no models."""

    name = "portal.ui"
    label = "ui"
