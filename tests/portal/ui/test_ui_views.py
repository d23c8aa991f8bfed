"""The theme cookie, the menus and the pages for what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import resolve

from portal.ui import errors
from portal.ui.context import ui
from portal.ui.nav import nav_for
from portal.ui.views import set_theme
from tenants.hosts import Host, HostKind
from tests.portal.ui.sample_data import BRAND


@pytest.fixture(autouse=True)
def _routes(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.portal.ui.urls"


def test_the_theme_is_kept_in_a_cookie() -> None:
    """The next page is printed in it."""
    response = set_theme(RequestFactory().post("/ui/theme", {"theme": "dark", "next": "/invoices/"}))
    assert response.status_code == 302
    assert response["Location"] == "/invoices/"
    cookie = response.cookies["theme"]
    assert (cookie.value, cookie["samesite"], cookie["httponly"]) == ("dark", "Lax", True)


def test_over_https_the_theme_cookie_is_bound_to_its_host(settings: Any) -> None:
    """Cookies of one company's host never reach another's (Decided 3)."""
    settings.SESSION_COOKIE_SECURE = True
    response = set_theme(RequestFactory().post("/ui/theme", {"theme": "light"}, secure=True))
    assert response.cookies["__Host-theme"]["secure"]
    assert response.cookies["__Host-theme"]["domain"] == ""


@pytest.mark.parametrize("theme", ["system", "", "purple"])
def test_following_the_device_forgets_the_cookie(theme: str) -> None:
    """Only light and dark are stored."""
    response = set_theme(RequestFactory().post("/ui/theme", {"theme": theme}))
    assert response.cookies["theme"]["max-age"] == 0


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil"])
def test_the_switch_never_leads_to_another_site(target: str) -> None:
    """An open redirect would lend our name to a stranger."""
    response = set_theme(RequestFactory().post("/ui/theme", {"theme": "dark", "next": target}))
    assert response["Location"] == "/"


def test_a_get_changes_nothing() -> None:
    """A link cannot switch the theme."""
    assert set_theme(RequestFactory().get("/ui/theme")).status_code == 405


def _at(path: str) -> HttpRequest:
    request = RequestFactory().get(path)
    request.resolver_match = resolve(path)
    return request


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/home/", "Home"),
        ("/invoices/7", "Invoices"),
        ("/payments/pay/7", "Invoices"),
        ("/office/customers/7/invite", "Customers"),
        ("/office/import/7", "Import"),
        ("/console/runs/7", "Overview"),
    ],
)
def test_the_menu_lights_the_section_being_read(path: str, current: str) -> None:
    """One line is current on every page of a section (NAV-01)."""
    assert [str(item.label) for item in nav_for(_at(path)) if item.current] == [current]


def test_the_menu_carries_counts() -> None:
    """Open invoices show beside their line (NAV-03)."""
    request = _at("/home/")
    request.nav_counts = {"invoices:list": 2}  # type: ignore[attr-defined]
    assert [item.count for item in nav_for(request)] == [0, 2, 0]


def test_a_section_that_is_not_mounted_has_no_line(settings: Any) -> None:
    """Hidden by a setting means absent, not broken."""
    request = _at("/home/")
    settings.ROOT_URLCONF = "portal.ui.urls"
    assert nav_for(request) == ()


def test_the_nonce_is_not_read_by_the_context_processor() -> None:
    """Reading it would put a nonce into the header of every answer."""

    class Watched:
        def __str__(self) -> str:
            raise AssertionError("read too early")

    request = _at("/home/")
    request.csp_nonce = Watched()  # type: ignore[attr-defined]
    assert isinstance(ui(request)["csp_nonce"], Watched)


@pytest.mark.parametrize(
    ("view", "status", "after"),
    [
        (errors.not_found, 404, None),
        (errors.forbidden, 403, None),
        (errors.server_error, 500, None),
        (errors.csrf_failure, 403, None),
        (errors.portal_off, 503, "3600"),
        (errors.held, 503, "3600"),
        (errors.closed, 410, None),
        (lambda request: errors.rate_limited(request, wait_seconds=61), 429, "61"),
    ],
)
def test_error_pages_offer_the_phone(
    view: Callable[[HttpRequest], HttpResponse], status: int, after: str | None
) -> None:
    """Never a dead end (screens.md 0.4); never cached."""
    request = RequestFactory().get("/x")
    request.brand = BRAND  # type: ignore[attr-defined]
    response = view(request)
    assert response.status_code == status
    assert response.get("Retry-After") == after
    assert response["Cache-Control"] == "no-store"
    assert "tel:+16145550142" in response.content.decode()


def test_the_wait_is_rounded_up_to_minutes() -> None:
    """61 seconds are two minutes."""
    response = errors.rate_limited(RequestFactory().get("/x"), wait_seconds=61)
    assert "in 2 minutes" in response.content.decode()


@pytest.mark.parametrize(("kind", "marked"), [("apex", True), ("console", True), ("tenant", False)])
def test_only_our_own_hosts_error_pages_carry_our_mark(kind: HostKind, marked: bool) -> None:
    """A company's portal is the company's, also when its brand could not be read."""
    request = RequestFactory().get("/x")
    request.host = Host(kind, "somewhere.example")  # type: ignore[attr-defined]
    assert ("Porchlight" in errors.server_error(request).content.decode()) is marked
