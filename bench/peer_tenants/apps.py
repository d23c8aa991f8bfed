"""The peer's own application."""

from django.apps import AppConfig


class PeerConfig(AppConfig):
    """Holds the two models that django-tenants asks for."""

    name = "bench.peer_tenants"
    label = "peer"
    default_auto_field = "django.db.models.BigAutoField"
