"""Gives every template the theme, the nonce, the company's brand, the person and the menu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from portal.ui.brand import BrandView
from portal.ui.nav import nav_for
from tenants.config.snapshot import Snapshot
from tenants.context import TenantContext, TenantFacts

THEMES = ("light", "dark")


class TenantRequest(HttpRequest):
    """A request on a company's host."""

    context: TenantContext
    tenant: TenantFacts
    settings: Snapshot
    brand: BrandView


@dataclass(frozen=True, slots=True)
class PersonView:
    """Who is signed in, as the header shows it; put it on the request as `request.person`."""

    name: str
    initials: str
    detail: str = ""


def theme_cookie() -> str:
    """Return the cookie's name; over https it is bound to this very host."""
    return "__Host-theme" if settings.SESSION_COOKIE_SECURE else "theme"


def theme_of(request: HttpRequest) -> str:
    """Return light, dark, or nothing for what the system says."""
    chosen = request.COOKIES.get(theme_cookie(), "")
    return chosen if chosen in THEMES else ""


def ui(request: HttpRequest) -> dict[str, Any]:
    """Return theme, csp_nonce, brand, person and nav; touches no database."""
    brand: BrandView | None = getattr(request, "brand", None)
    person: PersonView | None = getattr(request, "person", None)
    return {
        "theme": theme_of(request),
        # Passed on unread: reading it is what makes the header carry it.
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "brand": brand,
        "person": person,
        "nav": SimpleLazyObject(lambda: nav_for(request)),
    }
