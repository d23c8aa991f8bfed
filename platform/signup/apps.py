"""Registers signup with Django."""

from django.apps import AppConfig


class SignupConfig(AppConfig):
    """The apex site."""

    name = "signup"
    label = "signup"
