"""Every address of a company's host, tried with another company's ids, cookies and nobody's (ISO-40, AUZ-02).

An address with a parameter that tests/isolation/world.py does not know fails here: whoever adds one says what it names.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from tests.cast import ACME, GLOBEX
from tests.isolation.answers import canaries_in, shape_of, unchanged
from tests.isolation.world import POSTED, Route, World, make_world, routes

ROUTES = routes()
WITH_IDS = [route for route in ROUTES if set(route.params) - {"step", "kind"}]
# Who stands on Globex' host, and with what in the browser.
STRANGERS = ("alice", "olive", "nobody")
LOCALS = ("charlie", "gina")
# A picture, and the problems of a list that has none.
NAMELESS = {"brand:logo", "office:import_problems"}
REFUSED = {404, 405, 410}


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Any) -> World:
    """The cast, with Acme's records marked."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return make_world()


def ask(world: World, method: str, route: Route, kind: dict[str, str], *who: str) -> HttpResponseBase:
    """Send one request to Globex' host."""
    path = route.path(world.values(route, kind))
    return send(world.browser(GLOBEX, *who), method, route, path)


def send(browser: Client, method: str, route: Route, path: str) -> HttpResponseBase:
    """Send one request; a POST carries what would do something."""
    data = POSTED.get(route.name, {}) if method == "post" else {}
    answer: HttpResponseBase = getattr(browser, method)(path, data)
    return answer


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_no_answer_holds_anything_of_the_other_company(world: World, route: Route) -> None:
    """T1, T6: five visitors, GET and POST, no canary; nobody's cookies of elsewhere are worth anything."""
    kinds = {method: ask(world, method, route, world.acme, "nobody") for method in ("get", "post")}
    with unchanged(ACME):
        for method, expected in kinds.items():
            for who in (*STRANGERS, *LOCALS):
                answer = ask(world, method, route, world.acme, who)
                assert canaries_in(answer) == [], (method, who)
                assert answer.status_code < 500, (method, who)
                if who in STRANGERS:
                    assert answer.status_code == expected.status_code, (method, who)


@pytest.mark.parametrize("route", WITH_IDS, ids=lambda route: route.name)
def test_another_companys_record_is_not_told_from_one_that_never_was(world: World, route: Route) -> None:
    """AUZ-02, AUZ-03: the same status, target and page for Acme's id and for a random one; 404 for who is signed in."""
    answers = {}
    with unchanged(ACME):
        for method in ("get", "post"):
            for who in (*LOCALS, *STRANGERS):
                theirs = ask(world, method, route, world.acme, who)
                nothing = ask(world, method, route, world.nothing, who)
                theirs_shape = shape_of(theirs, world.values(route, world.acme))
                assert theirs_shape == shape_of(nothing, world.values(route, world.nothing)), (method, who)
                assert canaries_in(theirs) == []
                answers[method, who] = theirs.status_code
    for method in ("get", "post"):
        # One of the two is signed in where this page lives; the other is sent to sign in.
        statuses = {answers[method, who] for who in LOCALS}
        assert statuses & REFUSED, answers
        assert statuses <= REFUSED | {302, 303}, answers


@pytest.mark.parametrize("route", WITH_IDS, ids=lambda route: route.name)
def test_the_same_address_works_for_whom_it_belongs_to(world: World, route: Route) -> None:
    """The oracle can see: on Acme's own host the record is there and the canaries are found."""
    path = route.path(world.values(route, world.acme))
    statuses = set()
    for method in ("get", "post"):
        answer = send(world.browser(ACME, "alice", "olive"), method, route, path)
        statuses.add(answer.status_code)
        assert canaries_in(answer) or answer.status_code in (302, 303, 405, 410) or route.name in NAMELESS, method
    assert 404 not in statuses
    assert statuses - {405}


CUSTOMER_PAGES = [route for route in WITH_IDS if not route.name.startswith(("office:", "brand:"))]
# What opens for whoever holds it, within the company: a mailed link, the code on a paper (AUZ-15).
BEARER = {"token", "code"}


@pytest.mark.parametrize(
    "route", [r for r in CUSTOMER_PAGES if not BEARER & set(r.params)], ids=lambda route: route.name
)
def test_bob_finds_nothing_where_alice_finds_hers(world: World, route: Route) -> None:
    """AUZ-03: within one company a neighbour's record does not exist, for GET and for POST."""
    values, nothing = world.values(route, world.acme), world.values(route, world.nothing)
    # What he tried is noted in the books of his own company (PAY: refused, audited).
    with unchanged(ACME, but=frozenset({"core_auditevent"})):
        for method in ("get", "post"):
            answer = send(world.browser(ACME, "bob"), method, route, route.path(values))
            never = send(world.browser(ACME, "bob"), method, route, route.path(nothing))
            assert answer.status_code in (404, 405), method
            assert shape_of(answer, values) == shape_of(never, nothing), method
            found = set(canaries_in(answer)) - {"Acme", "Bob Baker", "Baker", "bob@example.com", "555-0100", "5550100"}
            assert found - {"acme.example", "zebra", "ZEBRA"} == set(), method


def test_the_map_is_not_empty() -> None:
    """An enumeration that finds nothing proves nothing."""
    assert len({route.template for route in ROUTES}) == len(ROUTES), "two patterns have one address"
    names = {route.name for route in ROUTES}
    assert {"invoices:detail", "payments:pay", "office:customer", "office:import_job", "brand:logo"} <= names
    assert len(WITH_IDS) >= 15
