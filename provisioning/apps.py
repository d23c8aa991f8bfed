"""Registers provisioning with Django."""

from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    """Runs that create companies."""

    name = "provisioning"
    label = "provisioning"
