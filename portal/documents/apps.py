"""Registers documents with Django."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Files and pictures of a company."""

    name = "portal.documents"
    label = "documents"
