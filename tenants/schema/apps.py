"""Registers the core tables of a tenant schema with Django."""

from django.apps import AppConfig


class SchemaConfig(AppConfig):
    """Tables that every tenant schema has before any feature."""

    name = "tenants.schema"
    label = "core"
