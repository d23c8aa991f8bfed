"""The two models that django-tenants asks for, nothing added; saving a new Tenant creates and migrates its schema."""

from django_tenants.models import DomainMixin, TenantMixin


class Tenant(TenantMixin):  # type: ignore[misc]
    """A company."""


class Domain(DomainMixin):  # type: ignore[misc]
    """A host name of a company."""
