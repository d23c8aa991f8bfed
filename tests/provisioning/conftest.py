"""A database of its own for tests that make and change schemas: DDL is not rolled back with a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests import databases


@pytest.fixture
def own_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A fresh copy of the cast's database, used with the schemas' owner's login; nothing is rolled back."""
    before = connection.settings_dict["NAME"]
    name = f"test_fleet_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with django_db_blocker.unblock():
        databases.clone(name)
        databases.use(name, owner=True)
        try:
            yield name
        finally:
            databases.use(before)
