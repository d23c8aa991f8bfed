"""Who may send a form to a host, and what every answer of a host carries: headers, policy, cookies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.http import HttpResponse

from tests.cast import STAFF_PASSWORD
from tests.conftest import HostClient

ACME_HOST = "acme.portal.localhost"
SIGN_IN = "/office/sign-in"

# -- who may send a form -----------------------------------------------------------------------------------

OWN = f"http://{ACME_HOST}"
ORIGINS: dict[str, tuple[dict[str, str], bool]] = {
    "own": ({"Origin": OWN}, True),
    "own, fetched by the page": ({"Origin": OWN, "Sec-Fetch-Site": "same-origin"}, True),
    "typed into the address bar": ({"Sec-Fetch-Site": "none"}, True),
    "sibling": ({"Origin": "http://globex.portal.localhost"}, False),
    "apex": ({"Origin": "http://portal.localhost"}, False),
    "console": ({"Origin": "http://console.localhost"}, False),
    "null": ({"Origin": "null"}, False),
    "other scheme": ({"Origin": f"https://{ACME_HOST}"}, False),
    "other port": ({"Origin": f"{OWN}:8001"}, False),
    "other spelling": ({"Origin": "http://ACME.portal.localhost"}, False),
    "longer name": ({"Origin": f"{OWN}.evil.test"}, False),
    "stranger": ({"Origin": "https://evil.test"}, False),
    "empty": ({"Origin": ""}, False),
    "same-site without Origin": ({"Sec-Fetch-Site": "same-site"}, False),
    "cross-site without Origin": ({"Sec-Fetch-Site": "cross-site"}, False),
    "own Origin but cross-site": ({"Origin": OWN, "Sec-Fetch-Site": "cross-site"}, False),
    "only a foreign Referer": ({"Referer": "http://globex.portal.localhost/"}, False),
    "only the own Referer": ({"Referer": f"{OWN}/office/"}, True),
}


@pytest.mark.parametrize(("headers", "allowed"), ORIGINS.values(), ids=ORIGINS)
def test_only_the_own_exact_origin_may_send_a_form(db: None, headers: dict[str, str], allowed: bool) -> None:
    """WEB-01, WEB-02: siblings are same-site for the browser, not for us."""
    answer = HostClient(ACME_HOST).post("/ui/theme", {"theme": "dark"}, headers=headers)
    assert answer.status_code == (302 if allowed else 403)
    assert bool(answer.cookies) is allowed


def test_a_form_needs_its_token_too(db: None) -> None:
    """WEB-01: token and origin, not one of them."""
    client = HostClient(ACME_HOST)
    client.handler.enforce_csrf_checks = True
    assert client.post("/ui/theme", {"theme": "dark"}, headers={"Origin": OWN}).status_code == 403


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "FOO"])
def test_methods_nobody_needs_are_refused(db: None, method: str) -> None:
    """WEB-09."""
    assert HostClient(ACME_HOST).generic(method, SIGN_IN).status_code == 405


# -- what every answer carries -----------------------------------------------------------------------------

REQUESTS: dict[str, Callable[[], HttpResponse]] = {
    "office page": lambda: HostClient(ACME_HOST).get(SIGN_IN),
    "missing page": lambda: HostClient(ACME_HOST).get("/nothing/here/"),
    "unknown host": lambda: HostClient("nobody.portal.localhost").get("/"),
    "redirect": lambda: HostClient("ACME.portal.localhost").get(SIGN_IN),
    "foreign form": lambda: HostClient(ACME_HOST).post(SIGN_IN, headers={"Origin": "null"}),
    "bad method": lambda: HostClient(ACME_HOST).generic("TRACE", "/"),
    "style sheet": lambda: HostClient(ACME_HOST).get("/static/ui/tokens.css"),
    "console": lambda: HostClient("console.localhost").get("/sign-in/"),
}


@pytest.mark.parametrize("fetch", REQUESTS.values(), ids=REQUESTS)
def test_every_answer_carries_the_protective_headers(db: None, fetch: Callable[[], HttpResponse]) -> None:
    """WEB-05: also 404, redirects, refusals and files."""
    answer = fetch()
    answer.close()
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] in ("strict-origin-when-cross-origin", "no-referrer")
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in ("redirect", "bad method", "style sheet")])
def test_every_page_carries_a_strict_policy(db: None, name: str) -> None:
    """WEB-04: nothing inline, no framing, no foreign script."""
    answer = REQUESTS[name]()
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert not any(word in answer["Content-Security-Policy"] for word in ("unsafe-inline", "unsafe-eval", "*", "http:"))
    if "<form" in answer.content.decode():
        assert policy["form-action"].split()[0] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["base-uri"] == "'none'"
    assert answer["Cache-Control"] == "no-store"


def test_a_nonce_is_never_used_twice(db: None) -> None:
    """WEB-04."""
    policies = {HostClient(ACME_HOST).get(SIGN_IN)["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_no_cookie_has_a_domain_and_all_are_bound_to_their_host(db: None) -> None:
    """AUN-07."""
    acme, console = HostClient(ACME_HOST), HostClient("console.localhost")
    acme.handler.enforce_csrf_checks = False
    given = [
        acme.get(SIGN_IN),
        acme.post(SIGN_IN, {"email": "olive@acme.example", "password": STAFF_PASSWORD}),
        acme.post("/ui/theme", {"theme": "dark"}),
        acme.post("/ui/theme", {"theme": ""}),
        acme.post("/ui/language", {"language": "es", "next": SIGN_IN}),
        acme.post("/office/sign-out"),
        console.post("/sign-in/", {"email": "oscar@porchlight.example", "password": STAFF_PASSWORD}),
    ]
    cookies = [cookie for answer in given for cookie in answer.cookies.values()]
    assert {cookie.key for cookie in cookies} >= {"csrf", "office", "theme", "language", "console"}
    for cookie in cookies:
        assert cookie["domain"] == "", cookie
        assert cookie["path"] == "/", cookie
        assert cookie["samesite"] in ("Lax", "Strict"), cookie
        assert cookie["httponly"] or not cookie.value, cookie


def test_over_https_every_cookie_name_is_bound_to_its_host() -> None:
    """AUN-07: the prefix makes the browser refuse Domain, a path and a plain connection."""
    script = """
import django; django.setup()
from django.conf import settings as s
from portal.accounts.staff_sessions import cookie_name as office
from portal.ui.context import theme_cookie
from console.guards import COOKIE
print(s.CSRF_COOKIE_NAME, s.LANGUAGE_COOKIE_NAME, office(), theme_cookie(), COOKIE)
assert s.CSRF_COOKIE_SECURE and s.SESSION_COOKIE_SECURE and s.LANGUAGE_COOKIE_SECURE and s.SECURE_HSTS_SECONDS
assert s.CSRF_COOKIE_DOMAIN is s.SESSION_COOKIE_DOMAIN is s.LANGUAGE_COOKIE_DOMAIN is None
assert s.CSRF_TRUSTED_ORIGINS == []
"""
    said = _run_with(script, PUBLIC_SCHEME="https", DEMO="false", DJANGO_SETTINGS_MODULE="config.settings")
    names = said.split()
    assert len(names) == 5
    assert all(name.startswith("__Host-") for name in names), names


def _run_with(script: str, **environ: str) -> str:
    paths = os.pathsep.join(path for path in sys.path if path)
    env = {**os.environ, "PYTHONPATH": paths, **environ}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
