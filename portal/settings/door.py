"""What a company's host shows while its door is closed: who it is, how to call, when to come back (PLT-06, P-36)."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse

from portal.settings.middleware import brand_or_name
from portal.ui import errors
from portal.ui.brand import BrandView
from tenants.access import Access

MAINTENANCE_SECONDS = 300


def portal_off(request: HttpRequest) -> HttpResponse:
    """Answer the company's customers while the portal is switched off; sessions and data stay (PLT-06, PLT-07)."""
    return errors.portal_off(request)


def closed(request: HttpRequest) -> HttpResponse:
    """Answer everybody while the company is held, in maintenance or closing, with its name and phone only."""
    access: Access = request.context.access  # type: ignore[attr-defined]
    request.brand = _name_and_phone(brand_or_name(request.tenant))  # type: ignore[attr-defined]
    if access.door == "closing":
        return errors.closed(request)
    if access.door == "maintenance":
        return errors.render_error(request, "maintenance", status=503, retry_after=MAINTENANCE_SECONDS)
    return errors.held(request)


def _name_and_phone(brand: BrandView) -> BrandView:
    # The logo is left out too: its address is served by nobody while the door is closed.
    return replace(brand, email="", address_lines=(), hours="", licence="", logo_url=None)
