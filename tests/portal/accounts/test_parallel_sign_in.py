"""A link pressed many times at the same moment: real connections, real commits (AUN-12)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from portal.accounts.models import PortalSession
from tenants.scope import tenant_scope
from tests.cast import ACME
from tests.portal.accounts.signing_in import mint

AT_ONCE = 12


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
