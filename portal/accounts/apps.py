"""Registers accounts with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People who sign in: the company's staff and its customers."""

    name = "portal.accounts"
    label = "accounts"
