"""Registers methods on file with Django."""

from django.apps import AppConfig


class MethodsConfig(AppConfig):
    """The rows are the payments' own; what is done with them is here."""

    name = "portal.methods"
    label = "methods"

    def ready(self) -> None:
        """Register what follows a change of a method, and the wish of the office for one."""
        from portal.methods import handlers  # noqa: F401
