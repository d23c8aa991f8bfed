"""Fixtures of the terminal's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import databases
from tests.provisioning.conftest import own_database

__all__ = ["alone", "own_database"]


@pytest.fixture
def alone(own_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep other workers from looking at, or changing, the roles of the cluster meanwhile."""
    # Commands set it for their own process.
    monkeypatch.setenv("DATABASE_LOGIN", "app")
    with databases.admin() as conn:
        conn.execute("SELECT pg_advisory_lock(7243004)")
        yield
