"""Which host reaches whom: one spelling, one neutral answer for everything else, and no help from other headers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse

from tenants.hosts import HostNames, UnknownHost, read_host
from tenants.models import Hostname, Tenant
from tenants.scope import scope_or_none
from tests.cast import GLOBEX, NOW, STAFF_PASSWORD
from tests.conftest import HostClient

NAMES = HostNames("portal.example", "console.example", "usercontent.example", frozenset({"localhost"}))
ACME_HOST = "acme.portal.localhost"
SIGN_IN = "/office/sign-in"

CANONICAL = ["acme.portal.example", "acme.portal.example:8000", "acme.portal.example:80"]
OTHER_SPELLINGS = [
    "ACME.portal.example",
    "Acme.Portal.Example",
    "acme.portal.example.",
    "ACME.PORTAL.EXAMPLE.:8000",
    "acme.portal.example:443",
]
NOBODY = {
    "no host": "",
    "www in front": "www.acme.portal.example",
    "two labels": "x.acme.portal.example",
    "IPv6": "[::1]",
    "IPv6 with port": "[::1]:8000",
    "bare IPv6": "::1",
    "IPv4": "10.0.0.1",
    "another loopback": "127.0.0.2",
    "254 characters": "a" * 239 + ".portal.example",
    "a label of 64": "a" * 64 + ".portal.example",
    "underscore": "acme_portal.portal.example",
    "evil suffix": "acme.portal.example.evil.test",
    "evil prefix": "acme.evilportal.example",
    "user in front": "acme.portal.example@evil.test",
    "list": "acme.portal.example, globex.portal.example",
    "blank": "acme.portal.example ",
    "line break": "acme.portal.example\r\nX: y",
    "path": "acme.portal.example/office",
    "percent": "acme%2eportal.example",
    "port of letters": "acme.portal.example:http",
    "two dots at the end": "acme.portal.example..",
    "double hyphen": "a--b.portal.example",
    "punycode": "xn--acm-epa.portal.example",
    "unicode": "acmé.portal.example",
    "digits only": "123.portal.example",
    "too short": "ab.portal.example",
    "hyphen first": "-acme.portal.example",
    "hyphen last": "acme-.portal.example",
    "empty label": ".portal.example",
    "another domain": "acme.example",
}


@pytest.mark.parametrize("header", CANONICAL)
def test_a_canonical_host_names_its_tenant(header: str) -> None:
    """ISO-37: the port says nothing, unless it is the one that https has anyway."""
    host = read_host(header, NAMES)
    assert (host.kind, host.slug, host.name, host.canonical) == ("tenant", "acme", "acme.portal.example", True)


@pytest.mark.parametrize("header", OTHER_SPELLINGS)
def test_another_spelling_names_the_same_tenant_and_says_so(header: str) -> None:
    """Acceptance 1, ISO-37."""
    host = read_host(header, NAMES)
    assert (host.kind, host.slug, host.name, host.canonical) == ("tenant", "acme", "acme.portal.example", False)


@pytest.mark.parametrize("header", NOBODY.values(), ids=NOBODY)
def test_a_host_that_is_nobodys_is_refused_before_any_lookup(header: str) -> None:
    """Acceptance 2, ISO-34, ISO-37."""
    with pytest.raises(UnknownHost):
        read_host(header, NAMES)


def test_a_host_that_plays_with_our_name_is_noticed() -> None:
    """Acceptance 2: the evil suffix is suspicious, a stranger's host is not."""
    for header, suspicious in (("acme.portal.example.evil.test", True), ("somebody.test", False)):
        with pytest.raises(UnknownHost) as error:
            read_host(header, NAMES)
        assert error.value.suspicious is suspicious


def test_our_own_names_are_told_apart() -> None:
    """Decided 1: apex, console and user content are exact names."""
    kinds = {name: read_host(name, NAMES).kind for name in ("portal.example", "console.example", "usercontent.example")}
    assert list(kinds.values()) == ["apex", "console", "usercontent"]
    with pytest.raises(UnknownHost):
        read_host("x.console.example", NAMES)


# -- through the whole stack -------------------------------------------------------------------------------


SPELLINGS = ["ACME.portal.localhost", "acme.portal.localhost.", "AcMe.PoRtAl.LoCaLhOsT.", "acme.portal.localhost:80"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_get_in_another_spelling_is_sent_to_the_one_host(db: None, spelling: str) -> None:
    """Acceptance 1: 308 keeps path and query."""
    for method in ("get", "head"):
        answer = getattr(HostClient(spelling), method)(f"{SIGN_IN}?next=/office/&a=b")
        assert answer.status_code == 308
        assert answer["Location"] == f"http://{ACME_HOST}{SIGN_IN}?next=/office/&a=b"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_post_in_another_spelling_is_served_with_its_body(db: None, spelling: str) -> None:
    """Acceptance 1: nothing that was typed is lost."""
    form = {"email": "olive@acme.example", "password": STAFF_PASSWORD}
    answer = HostClient(spelling).post(SIGN_IN, form, headers={"Origin": f"http://{ACME_HOST}"})
    assert answer.status_code == 303
    assert "office" in answer.cookies


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Original-Host", "X-Host", "X-Original-URL"])
def test_no_other_header_changes_the_tenant(db: None, header: str) -> None:
    """ISO-38."""
    value = "host=globex.portal.localhost" if header == "Forwarded" else "globex.portal.localhost"
    page = HostClient(ACME_HOST).get(SIGN_IN, headers={header: value})
    assert page.status_code == 200
    assert "Acme Heating" in page.content.decode()
    assert "Globex" not in page.content.decode()


def test_an_absolute_target_does_not_change_the_tenant(db: None) -> None:
    """ISO-38: the Host header alone decides."""
    page = HostClient(ACME_HOST).get(f"http://globex.portal.localhost{SIGN_IN}")
    assert "Globex" not in page.content.decode()


def _neutral(host: str, path: str = "/", method: str = "get") -> tuple[int, dict[str, str], bytes]:
    answer: HttpResponse = getattr(HostClient(host), method)(path)
    headers = {name: value for name, value in answer.items() if name != "X-Request-Id"}
    return answer.status_code, headers, answer.content


def test_every_reason_for_nothing_gives_the_same_bytes_and_headers(db: None, control: object) -> None:
    """Acceptance 3, ISO-12: unknown, reserved, held for somebody, never activated, deleted, malformed."""
    Hostname.objects.create(name="waiting", held_for=GLOBEX, expires_at=NOW)
    Tenant.objects.create(slug="halfway", display_name="H", plan_id=_plan(), owner_email="h@h.test", created_at=NOW)
    Hostname.objects.create(name="halfway", tenant=Tenant.objects.get(slug="halfway"), state="live")
    Tenant.objects.filter(pk=GLOBEX).update(lifecycle="deleted")
    expected = _neutral("never-heard-of.portal.localhost")
    assert expected[0] == 404
    reasons = ["www", "admin", "waiting", "halfway", "globex", "x.acme", "acme_portal", "a--b", "ab"]
    for host in (*(f"{name}.portal.localhost" for name in reasons), "somebody.test", "acme.portal.localhost.evil.test"):
        for path in ("/", SIGN_IN, "/static/none.css?x", "/_probe"):
            assert _neutral(host, path) == expected, (host, path)
    assert _neutral("www.portal.localhost", "/", "post") == _neutral("globex.portal.localhost", "/", "post")


def _plan() -> Any:
    return Tenant.objects.values_list("plan_id", flat=True).first()


def test_a_company_that_closes_is_gone_on_the_next_request(db: None, control: object) -> None:
    """platform.md 3.8: nothing that was remembered outlives the truth."""
    client = HostClient("globex.portal.localhost")
    assert client.get(SIGN_IN).status_code == 200
    Tenant.objects.filter(pk=GLOBEX).update(lifecycle="archived")
    assert client.get(SIGN_IN).status_code == 404
    Tenant.objects.filter(pk=GLOBEX).update(lifecycle="active")
    assert client.get(SIGN_IN).status_code == 200


# -- before the tenant is known ----------------------------------------------------------------------------


@contextmanager
def _statements() -> Iterator[list[tuple[str, str]]]:
    """Collect (scope kind, statement) of everything that reaches the database."""
    seen: list[tuple[str, str]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        scope = scope_or_none()
        if not sql.startswith(("SAVEPOINT", "RELEASE")):
            seen.append((scope.kind if scope else "none", sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


@pytest.mark.parametrize(
    ("host", "path", "kinds"),
    [
        (ACME_HOST, "/healthz", set()),
        ("acme.portal.localhost.evil.test", "/", set()),
        ("ACME.portal.localhost", SIGN_IN, set()),
        (ACME_HOST, "/static/ui/tokens.css", set()),
        (ACME_HOST, "/readyz", {"control"}),
        ("nobody.portal.localhost", "/", {"route"}),
        ("console.localhost", "/sign-in/", {"control"}),
        ("portal.localhost", "/", {"control"}),
    ],
)
def test_what_needs_no_tenant_asks_no_tenant(db: None, host: str, path: str, kinds: set[str]) -> None:
    """ISO-17: also on a thread that has just served a tenant."""
    assert HostClient(ACME_HOST).get(SIGN_IN).status_code == 200
    assert scope_or_none() is None
    with _statements() as seen:
        HostClient(host).get(path).close()
    assert {kind for kind, _ in seen} <= kinds, seen
    assert scope_or_none() is None


def test_a_tenants_request_asks_as_this_tenant_only(db: None) -> None:
    """ISO-03, ISO-08: one place lookup at most, then everything under the tenant's own role."""
    with _statements() as seen:
        HostClient(ACME_HOST).get(SIGN_IN)
    assert {kind for kind, _ in seen} <= {"route", "tenant"}
    tenant = [sql for kind, sql in seen if kind == "tenant"]
    assert "FROM tenant_identity" in tenant[0], "the proof comes before any business query"


def test_the_flood_of_unknown_names_leaves_nothing_behind(db: None) -> None:
    """Acceptance 8, the part without a clock: one read each, nothing remembered."""
    from tenants import context

    HostClient(ACME_HOST).get(SIGN_IN)
    before = dict(context._places)
    with _statements() as seen:
        for number in range(50):
            assert HostClient(f"nobody-{number}.portal.localhost").get("/").status_code == 404
    assert len(seen) == 50
    assert context._places == before
