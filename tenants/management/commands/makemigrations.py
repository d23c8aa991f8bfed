"""Django's makemigrations, told on whose behalf it looks at the database."""

from typing import Any

from django.core.management.commands.makemigrations import Command as DjangoCommand

from tenants.scope import owner_scope


class Command(DjangoCommand):
    """Write migrations; the consistency check reads the public schema if a database is there."""

    def handle(self, *app_labels: str, **options: Any) -> None:
        """Run Django's command as the schemas' owner."""
        with owner_scope():
            super().handle(*app_labels, **options)
