"""Fault tests make and change schemas too, on a database of their own."""

from tests.provisioning.conftest import own_database  # noqa: F401
