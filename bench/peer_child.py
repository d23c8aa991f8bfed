"""The peer's process: for every name on standard input it creates a tenant and answers with the seconds it took."""

from __future__ import annotations

import sys
from importlib import import_module
from time import perf_counter
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

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bench.peer.models import Domain, Tenant  # noqa: E402
from tenants.scope import enter, make_tenant_scope  # noqa: E402


def main() -> None:
    """Prepare the shared schema, then serve until standard input ends."""
    call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    print("ready", flush=True)
    for line in sys.stdin:
        name = line.strip()
        began = perf_counter()
        # The product's models stamp rows with the scope they are made in; the peer's backend does not look at it.
        with enter(make_tenant_scope(UUID(int=1), name)):
            tenant = Tenant(schema_name=name)
            tenant.save(verbosity=0)
            Domain.objects.create(domain=f"{name}.example", tenant=tenant)
        took = perf_counter() - began
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", [name])
            tables = cursor.fetchone()[0]
        print(took, tables, flush=True)


if __name__ == "__main__":
    main()
