"""Registers the tenancy layer with Django."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Control-plane tables: who our tenants are."""

    name = "tenants"
    label = "tenants"

    def ready(self) -> None:
        """Load the system checks of the tenancy layer."""
        from tenants import checks  # noqa: F401
