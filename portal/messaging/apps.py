"""Registers messaging with Django."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Mail to customers and staff."""

    name = "portal.messaging"
    label = "messaging"
