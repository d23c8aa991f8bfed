"""Django's makemigrations, without its look at a database: half of ours would be in no schema it could see."""

from typing import Any

from django.core.management.commands.makemigrations import Command as DjangoCommand
from django.db import connection


class Command(DjangoCommand):
    """Write migrations from the models alone; provision_migrate finds an inconsistent history."""

    def handle(self, *app_labels: str, **options: Any) -> None:
        """Run Django's command with its history check switched off, which it is for a dummy engine."""
        engine = connection.settings_dict["ENGINE"]
        connection.settings_dict["ENGINE"] = "django.db.backends.dummy"
        try:
            super().handle(*app_labels, **options)
        finally:
            connection.settings_dict["ENGINE"] = engine
