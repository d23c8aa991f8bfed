"""Registers webhooks with Django."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Stripe's events."""

    name = "webhooks"
    label = "webhooks"
