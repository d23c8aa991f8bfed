"""What a browser keeps of the links it pays through: no page with Stripe's script has a token in its address."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from portal.sharing.links import hash_token

KEPT = timedelta(days=1)
MOST = 8
_PART = re.compile(r"[A-Za-z0-9_-]{22,64}")


@dataclass(frozen=True, slots=True)
class Keyring:
    """A secret of the browser's own and the tokens of the links it has paid through lately, newest last."""

    browser: str
    tokens: tuple[str, ...] = ()

    @property
    def browser_hash(self) -> bytes:
        """Return what is stored with an attempt, so that only this browser sees its receipt."""
        return hashlib.sha256(self.browser.encode()).digest()

    def find(self, token_hash: bytes) -> str:
        """Return the token of a link, or nothing when this browser does not hold it."""
        return next((token for token in self.tokens if hash_token(token) == token_hash), "")

    def with_token(self, token: str) -> Keyring:
        """Return the ring with one more link on it."""
        others = tuple(each for each in self.tokens if each != token)
        return Keyring(self.browser, (*others, token)[-MOST:])


def cookie_name() -> str:
    """Return the cookie's name; over https it is bound to this very host (AUN-07)."""
    return "__Host-shared" if settings.SESSION_COOKIE_SECURE else "shared"


def keyring_of(request: HttpRequest) -> Keyring | None:
    """Return what this browser holds. The cookie signs nobody in: only the pages of share links read it (AUZ-05)."""
    parts = request.COOKIES.get(cookie_name(), "").split(".")
    if len(parts) < 2 or not all(_PART.fullmatch(part) for part in parts):
        return None
    return Keyring(parts[0], tuple(parts[1:][-MOST:]))


def new_keyring() -> Keyring:
    """Return an empty ring for a browser that has none."""
    return Keyring(secrets.token_urlsafe(32))


def keep(response: HttpResponseBase, ring: Keyring) -> None:
    """Give the browser its ring."""
    response.set_cookie(
        cookie_name(),
        ".".join((ring.browser, *ring.tokens)),
        max_age=int(KEPT.total_seconds()),
        path="/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
