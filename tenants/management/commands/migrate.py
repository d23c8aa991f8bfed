"""Refuses Django's migrate: it knows one schema only."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Say which command migrates."""

    help = "Not used here; see provision_migrate."

    def add_arguments(self, parser: Any) -> None:
        """Accept whatever was typed, to answer with a sentence."""
        parser.add_argument("rest", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse."""
        raise CommandError("Use `manage.py provision_migrate`: it migrates public and every tenant schema.")
