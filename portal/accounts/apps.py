"""Registers accounts with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People who sign in: the company's staff and its customers."""

    name = "portal.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Have the sessions read beside the proof of the tenant from the first request on; register the mailed code."""
        from portal.accounts import proof_handlers, sessions, staff_sessions  # noqa: F401
