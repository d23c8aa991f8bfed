"""System checks of the tenancy layer: what must be true of the code before it serves anybody."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import models

from tenants.rows import TenantModel

MAX_TABLES = 60
MAX_RELATIONS = 400


def models_of(app_names: list[str]) -> list[type[models.Model]]:
    """Return every concrete model of the named applications, through tables included."""
    names = {name.removesuffix(".apps.SimpleAppConfig") for name in app_names}
    return [
        m for m in apps.get_models(include_auto_created=True) if apps.get_app_config(m._meta.app_label).name in names
    ]


@register
def check_halves(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """No table name in both halves (ISO-09); tenant rows know whose they are; keys are not serial (Decided 14)."""
    shared = models_of(settings.SHARED_APPS)
    tenant = models_of(settings.TENANT_APPS)
    found: list[CheckMessage] = []
    both = {m._meta.db_table for m in shared} & {m._meta.db_table for m in tenant}
    found += [
        Error(f"Table {name} exists in public and in tenant schemas.", id="tenants.E001") for name in sorted(both)
    ]
    for model in tenant:
        if not issubclass(model, TenantModel):
            found.append(Error(f"{model.__name__} is in a tenant schema but is no TenantModel.", id="tenants.E002"))
        if isinstance(model._meta.pk, models.AutoField | models.BigAutoField):
            found.append(Error(f"{model.__name__} has a serial key; use uuid7.", id="tenants.E003"))
    for model in shared:
        if issubclass(model, TenantModel):
            found.append(Error(f"{model.__name__} is a TenantModel in public.", id="tenants.E004"))
    if len(tenant) + 1 > MAX_TABLES:
        found.append(
            Error(
                f"A tenant schema would have {len(tenant) + 1} tables, more than {MAX_TABLES}.",
                id="tenants.E005",
            )
        )
    return found
