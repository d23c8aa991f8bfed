"""People at the same moment: the database decides, with real commits from several connections."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar
from uuid import uuid4

from django.core import mail
from django.db import connection

from provisioning.models import Run
from signup.models import SignUp
from tenants.models import Hostname, Tenant
from tenants.scope import control_scope
from tests.conftest import HostClient
from tests.signup.visitor import APEX, Visitor, deliver, newest_code, newest_link

T = TypeVar("T")
AT_ONCE = 8


def _at_once(deeds: list[Callable[[], T]]) -> list[T]:
    barrier = Barrier(len(deeds))

    def do(deed: Callable[[], T]) -> T:
        barrier.wait()
        try:
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))


def test_of_many_who_want_one_address_exactly_one_holds_it(committed: None) -> None:
    """Acceptance check 12: the others keep their form, and get no mail."""
    visitors = [Visitor(email=f"p{n}@example.com") for n in range(AT_ONCE)]
    for visitor in visitors:
        visitor.start()
    answers = _at_once([lambda v=visitor: v.choose("bright-electric") for visitor in visitors])  # type: ignore[misc]
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [303] + [409] * (AT_ONCE - 1)
    assert all(len(answer.context["alternatives"]) == 3 for answer in answers if answer.status_code == 409)
    with control_scope():
        assert SignUp.objects.filter(mails_sent=1).count() == 1
        assert Hostname.objects.filter(name="bright-electric", state="held").count() == 1


def test_the_same_form_sent_twenty_times_in_parallel_is_one_signup(committed: None) -> None:
    """Acceptance check 11."""
    visitor = Visitor()

    def press() -> int:
        return int(HostClient(APEX).post("/signup/", visitor.form).status_code)

    assert set(_at_once([press] * 20)) == {303}
    with control_scope():
        assert SignUp.objects.count() == 1


def test_link_and_code_pressed_together_create_one_company(committed: None) -> None:
    """Acceptance check 11: one tenant, one run, whoever comes first."""
    visitor = Visitor(form_key=str(uuid4()))
    mail.outbox.clear()
    visitor.begin()
    link, code = newest_link(), newest_code()
    by_link = [lambda: HostClient(APEX).post(link)] * (AT_ONCE // 2)
    cookie = visitor.browser.cookies["signup"].value

    def by_code() -> Any:
        browser = HostClient(APEX)
        browser.cookies["signup"] = cookie
        return browser.post("/signup/verify/", {"code": code})

    answers = _at_once([*by_link, *[by_code] * (AT_ONCE // 2)])
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer["Location"] for answer in answers}) == 1
    with control_scope():
        assert Tenant.objects.filter(slug="bright-electric").count() == 1
        assert Run.objects.count() == 1
    deliver()
