"""Fixtures for every test: the cast's database, one browser-like client per host, scopes of the tenants."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client, TestCase
from django.utils import timezone, translation
from hypothesis import HealthCheck, settings

from tenants.config import snapshot
from tenants.scope import control_scope, tenant_scope
from tests import databases
from tests.cast import ACME, GLOBEX

# The same examples every time, so that a commit is proven or refuted and not lucky; a busy machine is not a failure.
# PORCHLIGHT_EXAMPLES=new looks for examples that nobody has seen yet.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("new", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile(os.environ.get("PORCHLIGHT_EXAMPLES", "same"))

_original_teardown = TestCase._fixture_teardown


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Give this worker its own copy of the cast's database, used with the application's login."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"

    def teardown_in_scope(self: TestCase) -> None:
        # Django checks deferred constraints at the end of a test, when nobody is being served any more.
        with control_scope():
            _original_teardown(self)

    TestCase._fixture_teardown = teardown_in_scope  # type: ignore[method-assign]
    with django_db_blocker.unblock():
        databases.clone(name)
        databases.use(name)
        # Django asks the server for its version with the first connection of a process: for nobody, unless it is here.
        with control_scope():
            connection.ensure_connection()
        connection.close()
    yield
    TestCase._fixture_teardown = _original_teardown  # type: ignore[method-assign]


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Give the test a copy of the cast's database with real transactions: threads, locks and commits are tested."""
    before = connection.settings_dict["NAME"]
    name = f"{before}_committed"
    with django_db_blocker.unblock():
        databases.clone(name)
        databases.use(name)
        try:
            yield
        finally:
            connection.close()
            databases.use(before)


@pytest.fixture(autouse=True)
def forget_snapshots() -> Iterator[None]:
    """Drop remembered settings: a rolled-back test gives its version number to the next one."""
    snapshot._snapshots.clear()
    yield
    snapshot._snapshots.clear()


@pytest.fixture(autouse=True)
def leave_no_language_behind() -> Iterator[None]:
    """End each test in the default language and time zone: a request leaves its own on the thread."""
    yield
    translation.deactivate()
    timezone.deactivate()


class HostClient(Client):
    """A browser that visits one host; cookies of other hosts are other clients' (dependencies.md 4.4)."""

    def __init__(self, host: str, **kwargs: Any) -> None:
        super().__init__(enforce_csrf_checks=False, headers={"host": host}, **kwargs)
        self.host = host


@pytest.fixture
def browse() -> type[HostClient]:
    """Return the class of clients: browse("acme.portal.localhost")."""
    return HostClient


@pytest.fixture
def acme_client(db: None) -> HostClient:
    """A stranger's browser on Acme's host."""
    return HostClient("acme.portal.localhost")


@pytest.fixture
def globex_client(db: None) -> HostClient:
    """A stranger's browser on Globex' host."""
    return HostClient("globex.portal.localhost")


@pytest.fixture
def acme(db: None) -> Iterator[Any]:
    """Run the test's own statements as Acme."""
    with tenant_scope(ACME, "t_ac3e00000000000000000001") as scope:
        yield scope


@pytest.fixture
def globex(db: None) -> Iterator[Any]:
    """Run the test's own statements as Globex."""
    with tenant_scope(GLOBEX, "t_610be8000000000000000002") as scope:
        yield scope


@pytest.fixture
def control(db: None) -> Iterator[Any]:
    """Run the test's own statements on the control plane."""
    with control_scope() as scope:
        yield scope
