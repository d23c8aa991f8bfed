"""A mailed link of the office pressed many times at once: real connections, real commits (AUN-12)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection
from django.utils import timezone

from portal.accounts.models import LoginToken, StaffSession, StaffUser
from portal.accounts.staff_tokens import mint_staff_token
from tenants.scope import tenant_scope
from tests.cast import NOW
from tests.portal.office.conftest import SCHEMAS

AT_ONCE = 8


def test_of_many_simultaneous_presses_one_sets_the_password(committed: None, browse: Any) -> None:
    """AUN-12: one session, one password; everybody else is told that the link is used up."""
    with tenant_scope(*SCHEMAS["acme"]):
        paul = StaffUser.objects.create(
            email="paul@acme.example", name="Paul", role="owner", status="invited", created_at=NOW
        )
        purpose = LoginToken.Purpose.STAFF_FIRST_SIGN_IN
        token = mint_staff_token(staff=paul, purpose=purpose, now=timezone.now())
    barrier = Barrier(AT_ONCE)

    def press(n: int) -> int:
        barrier.wait()
        try:
            data = {"new_password": f"four sturdy garden chairs {n}"}
            return int(browse("acme.portal.localhost").post(f"/office/welcome/{token}/", data).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(press, range(AT_ONCE)))
    assert sorted(answers) == [303] + [410] * (AT_ONCE - 1)
    with tenant_scope(*SCHEMAS["acme"]):
        assert StaffSession.objects.count() == 1
