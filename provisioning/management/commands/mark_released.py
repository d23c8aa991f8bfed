"""`manage.py mark_released`: writes down which migrations installations have, when a release goes out."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from provisioning.lint import RELEASED, tenant_plan

HEAD = """# The migrations of companies' schemas that releases have carried out; provisioning/lint.py judges all others.
# Written by `manage.py mark_released` when a release goes out.
"""


class Command(BaseCommand):
    """Write provisioning/released.txt."""

    help = "Writes down that every migration of companies' schemas on disk has been released."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file."""
        names = sorted(f"{each.app_label}.{each.name}" for each in tenant_plan())
        RELEASED.write_text(HEAD + "\n".join(names) + "\n", encoding="utf-8")
        self.stdout.write(f"{len(names)} migrations are released.")
