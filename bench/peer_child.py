"""A peer's process: does one thing for every line of JSON on standard input and answers with a line of JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from time import perf_counter
from typing import Any
from uuid import UUID

import django
from django.apps import AppConfig
from django.conf import settings

for _app in settings.TENANT_APPS:
    for _found in vars(import_module(f"{_app}.apps")).values():
        if isinstance(_found, type) and issubclass(_found, AppConfig) and _found is not AppConfig:
            # What ready() registers needs the rest of the product; tables need only models and migrations.
            _found.ready = AppConfig.ready  # type: ignore[method-assign]
django.setup()

from django.apps import apps  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.migrations import loader  # noqa: E402

from bench import peer_settings  # noqa: E402
from tenants.scope import enter, make_tenant_scope  # noqa: E402

# A loader of migrations reloads their packages, which for a moment takes the release that is measured out of the sight
# of the peer's other threads.
loader.reload = lambda module: module  # type: ignore[attr-defined]

TENANTS = peer_settings.ENGINE == "django-tenants"
# What `migrate_schemas` and `migrate` are told, for each way in which a peer goes through its fleet.
WAYS: dict[str, dict[str, Any]] = {
    "one by one": {"tenant": True, "executor": "standard", "interactive": False}
    if TENANTS
    else {"dynamic_schemas": True},
    "two at once": {"tenant": True, "executor": "multiprocessing", "interactive": False}
    if TENANTS
    else {"dynamic_schemas": True, "parallel": True},
}


def _model(name: str) -> Any:
    return apps.get_model("peer", name)


def prepare() -> None:
    """Make the shared tables, and in clone mode the schema that is cloned."""
    if TENANTS:
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    else:
        call_command("migrate", schemas=["public"], verbosity=0)
    if peer_settings.CLONE and TENANTS:
        _model("Tenant")(schema_name=peer_settings.TEMPLATE_SCHEMA).save(verbosity=0)
    elif peer_settings.CLONE:
        call_command("createrefschema", verbosity=0)


def create(name: str) -> dict[str, float]:
    """Make a tenant; answers with seconds and tables."""
    began = perf_counter()
    # The product's models stamp rows with the scope they are made in; the peer's backend does not look at it.
    with enter(make_tenant_scope(UUID(int=1), name)):
        tenant = _model("Tenant")(schema_name=name)
        tenant.save(verbosity=0)
        _model("Domain").objects.create(domain=f"{name}.example", tenant=tenant)
    took = perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", [name])
        (tables,) = cursor.fetchone()
    return {"seconds": took, "tables": tables}


def adopt(names: list[str]) -> dict[str, float]:
    """Take these schemas, which are there already, for the whole fleet."""
    model = _model("Tenant")
    with connection.cursor() as cursor:
        # Its own way of forgetting tenants would look into their schemas.
        cursor.execute("TRUNCATE peer_tenant CASCADE")
    model.objects.bulk_create([model(schema_name=name) for name in names])
    return {"tenants": model.objects.count()}


def migrate(way: str) -> dict[str, float]:
    """Bring the fleet up to date as the command line does; answers with seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    began = perf_counter()
    call_command("migrate_schemas" if TENANTS else "migrate", verbosity=0, **WAYS[way])
    return {"seconds": perf_counter() - began}


def main() -> None:
    """Prepare, then serve until standard input ends."""
    answers = sys.stdout
    actions: dict[str, Callable[[Any], dict[str, float]]] = {"create": create, "adopt": adopt, "migrate": migrate}
    # A command that prints must not disturb the answers.
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        prepare()
        print("{}", file=answers, flush=True)
        for line in sys.stdin:
            action, argument = json.loads(line)
            print(json.dumps(actions[action](argument)), file=answers, flush=True)


if __name__ == "__main__":
    main()
