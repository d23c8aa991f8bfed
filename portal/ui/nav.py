"""The menus of portal, office and console, resolved to links for one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenants.config.registry import ESTIMATES_SECTION, INVOICES_SECTION
from tenants.config.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class NavEntry:
    """One possible line of a menu; `names` are the views that light it up."""

    url_name: str
    label: str | Promise
    icon: str
    names: tuple[str, ...] = ()
    group: str | Promise = ""


@dataclass(frozen=True, slots=True)
class NavItem:
    """One line as the template prints it."""

    url: str
    label: str | Promise
    icon: str
    current: bool = False
    count: int = 0
    group: str | Promise = ""


PORTAL = (
    NavEntry("home:home", _("Home"), "house", ("home:",)),
    NavEntry(
        "invoices:list", _("Invoices"), "wallet", ("invoices:", "payments:", "statements:", "methods:", "autopay:")
    ),
    NavEntry("estimates:list", _("Estimates"), "file-text", ("estimates:",)),
)
OFFICE = (
    NavEntry("office:today", _("Today"), "house", ("office:today",)),
    NavEntry("office:customers", _("Customers"), "users", ("office:customer", "office:invite")),
    NavEntry("office:estimates", _("Estimates"), "file-text", ("office:estimate",)),
    NavEntry("office:payment_list", _("Payments"), "wallet", ("office:payment_", "office:credit")),
    NavEntry("office:import", _("Import"), "upload", ("office:import",), _("Set-up")),
    NavEntry("office:payments_setup", _("Taking cards"), "credit-card", ("office:payments",), _("Set-up")),
    NavEntry("office:settings", _("Settings"), "settings", ("office:settings",), _("Set-up")),
    NavEntry("billing:plan", _("Your plan"), "badge-check", ("billing:",), _("Set-up")),
)
CONSOLE = (
    NavEntry("console:overview", _("Overview"), "gauge", ("console:overview", "console:run"), _("Fleet")),
    NavEntry("console:tenants", _("Tenants"), "building-2", ("console:tenant",), _("Fleet")),
    NavEntry("console:webhooks", _("Webhooks"), "git-branch", ("console:webhook",), _("Delivery")),
)

_BY_NAMESPACE: dict[str, tuple[NavEntry, ...]] = {
    "home": PORTAL,
    "invoices": PORTAL,
    "estimates": PORTAL,
    "payments": PORTAL,
    "statements": PORTAL,
    "methods": PORTAL,
    "autopay": PORTAL,
    "accounts": PORTAL,
    "office": OFFICE,
    "billing": OFFICE,
    "console": CONSOLE,
}

# Sections that a company may close for all its customers.
_SECTIONS = {"invoices:list": INVOICES_SECTION, "estimates:list": ESTIMATES_SECTION}


def nav_for(request: HttpRequest) -> tuple[NavItem, ...]:
    """Return the menu for the view being shown; a page without a namespace has none."""
    match = request.resolver_match
    if match is None or not match.namespaces:
        return ()
    entries = _BY_NAMESPACE.get(match.namespaces[0], ())
    counts: Mapping[str, int] = getattr(request, "nav_counts", {})
    # A section that the person may not see has no line either (NAV-06).
    hidden: frozenset[str] = getattr(request, "nav_hidden", frozenset()) | _closed_sections(request)
    shown = (entry for entry in entries if entry.url_name not in hidden)
    return tuple(item for entry in shown if (item := _resolve(entry, match.view_name, counts)) is not None)


def _closed_sections(request: HttpRequest) -> frozenset[str]:
    settings: Snapshot | None = getattr(request, "settings", None)
    if settings is None:
        return frozenset()
    return frozenset(name for name, key in _SECTIONS.items() if settings.get(key) == "hide")


def _resolve(entry: NavEntry, view_name: str, counts: Mapping[str, int]) -> NavItem | None:
    # An app that is not mounted on this host simply has no line in the menu.
    try:
        url = reverse(entry.url_name)
    except NoReverseMatch:
        return None
    current = any(view_name.startswith(name) for name in entry.names)
    return NavItem(url, entry.label, entry.icon, current, counts.get(entry.url_name, 0), entry.group)
