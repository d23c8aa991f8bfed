"""Registers provisioning with Django."""

from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    """Runs that create companies."""

    name = "provisioning"
    label = "provisioning"

    def ready(self) -> None:
        """Load the check of new migrations."""
        from provisioning import lint  # noqa: F401
