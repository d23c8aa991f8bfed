"""A link pressed many times at the same moment: real connections, real commits (AUN-12)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from portal.accounts.models import PortalSession
from tenants.scope import tenant_scope
from tests import databases
from tests.cast import ACME
from tests.portal.accounts.signing_in import mint

AT_ONCE = 12


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the cast's database in which the test commits."""
    before = settings.DATABASES["default"]["NAME"]
    name = f"{before}_race"
    with django_db_blocker.unblock():
        databases.clone(name)
        databases.use(name)
        try:
            yield
        finally:
            databases.use(before)


def test_of_twelve_simultaneous_presses_one_signs_in(committed: None, browse: Any) -> None:
    """AUN-12."""
    with tenant_scope(ACME, "t_ac3e00000000000000000001"):
        minted = mint("alice@example.com")
    barrier = Barrier(AT_ONCE)

    def press(_: int) -> int:
        barrier.wait()
        try:
            return int(browse("acme.portal.localhost").post(f"/l/{minted.token}").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(press, range(AT_ONCE)))
    with tenant_scope(ACME, "t_ac3e00000000000000000001"):
        assert PortalSession.objects.count() == 1
    assert sorted(answers) == [200] * (AT_ONCE - 1) + [303]
