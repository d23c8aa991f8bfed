"""The two models that django-pgschemas asks for, nothing added; saving a new Tenant creates and fills its schema."""

from django_pgschemas.models import TenantModel
from django_pgschemas.routing.models import DomainModel


class Tenant(TenantModel):  # type: ignore[misc]
    """A company."""


class Domain(DomainModel):  # type: ignore[misc]
    """A host name of a company."""
