"""Registers estimates with Django."""

from django.apps import AppConfig


class EstimatesConfig(AppConfig):
    """Offers, their versions, decisions and signatures."""

    name = "portal.estimates"
    label = "estimates"
