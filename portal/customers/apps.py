"""Registers customers with Django."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Customers, their contacts and service addresses."""

    name = "portal.customers"
    label = "customers"
