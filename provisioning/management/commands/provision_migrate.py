"""Migrates the control plane and every schema that is behind."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from provisioning.models import SchemaSlot
from provisioning.schemas import current_release, fingerprint, migrate_public, migrate_schema
from provisioning.templates import ensure_template
from tenants.models import Tenant
from tenants.scope import control_scope


class Command(BaseCommand):
    """Bring every schema to the release of this code; run with DATABASE_LOGIN=owner."""

    help = "Migrate public, then every tenant schema whose release is not this code's."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate what is behind, one schema after the other."""
        migrate_public()
        ensure_template(timezone.now())
        release = current_release()
        with control_scope():
            behind = SchemaSlot.objects.filter(state__in=["ready", "claimed"]).exclude(release=release)
            names = list(behind.order_by("schema_name").values_list("schema_name", flat=True))
        for name in names:
            migrate_schema(name)
            print_of = fingerprint(name)
            with control_scope():
                SchemaSlot.objects.filter(schema_name=name).update(release=release, fingerprint=print_of)
                Tenant.objects.filter(schema_name=name).update(schema_release=release, schema_fingerprint=print_of)
            self.stdout.write(f"migrated {name}")
        connection.close()
