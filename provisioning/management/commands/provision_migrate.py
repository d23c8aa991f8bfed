"""Migrates the control plane and every schema that is behind."""

from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from provisioning.fleet import NothingToChange, retry_schemas, roll_out
from provisioning.plans import PlanRefused
from provisioning.schemas import migrate_public
from provisioning.templates import ensure_template
from tenants.audit import Actor

DEPLOYMENT = Actor("system", None, "deployment", surface="migration")


class Command(BaseCommand):
    """Bring every schema to the release of this code; run with DATABASE_LOGIN=owner."""

    help = "Migrate public, build the release's template, then migrate every tenant schema that is behind."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate what is behind; what failed the last time is tried again."""
        now = timezone.now()
        migrate_public()
        ensure_template(now)
        with suppress(NothingToChange):
            retry_schemas(by=DEPLOYMENT, now=now)
        try:
            status = roll_out(by=DEPLOYMENT, now=now)
        except PlanRefused as error:
            raise CommandError(str(error)) from error
        finally:
            connection.close()
        if not status.is_complete:
            raise CommandError(
                f"{status.behind} schemas are behind ({status.failed} failed, {status.held} held"
                f"{', ' + status.stopped if status.stopped else ''}). See `porchlight migrations status`."
            )
        self.stdout.write(f"release {status.release}: every schema has it")
