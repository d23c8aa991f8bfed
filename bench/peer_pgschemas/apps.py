"""The peer's own application."""

from django.apps import AppConfig


class PeerConfig(AppConfig):
    """Holds the two models that django-pgschemas asks for."""

    name = "bench.peer_pgschemas"
    label = "peer"
    default_auto_field = "django.db.models.BigAutoField"
