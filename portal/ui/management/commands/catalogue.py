"""Brings the catalogue of texts up to date with the sources, or says that it is not."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.ui import catalogue


class Command(BaseCommand):
    """`manage.py catalogue` writes django.po and django.mo; `--check` only compares."""

    help = "Reads the texts of the sources, merges them into the catalogue and compiles it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail if a text is missing")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Merge and compile every language; raises CommandError while texts lack a translation."""
        wanted = catalogue.read_sources()
        open_texts: list[str] = []
        for language in catalogue.LANGUAGES:
            book = catalogue.merge(catalogue.read_catalogue(language), wanted)
            target = catalogue.po_path(language)
            written = {target: catalogue.po_bytes(book), target.with_suffix(".mo"): catalogue.mo_bytes(book)}
            open_texts += [f"{language}: {text}" for text in catalogue.missing(book)]
            for path, content in written.items():
                if check and path.read_bytes() != content:
                    open_texts.append(f"{path.name} of {language} is not what the sources say")
                elif not check:
                    path.write_bytes(content)
            self.stdout.write(f"{language}: {len(book)} texts")
        if open_texts:
            raise CommandError("Still to do:\n" + "\n".join(open_texts))
