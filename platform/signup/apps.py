"""Registers signup with Django."""

from django.apps import AppConfig


class SignupConfig(AppConfig):
    """The apex site."""

    name = "signup"
    label = "signup"

    def ready(self) -> None:
        """Register what follows a sign-up."""
        from signup import handlers  # noqa: F401
