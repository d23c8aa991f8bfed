"""Puts the company's brand and clock on every request of its host."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal.settings.brand import brand_of, load_brand
from portal.ui.brand import BrandView
from tenants.context import TenantFacts

log = logging.getLogger("porchlight.brand")
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class BrandMiddleware:
    """Sets `request.brand`, read when a template first asks for it, and the company's time zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        tenant: TenantFacts | None = getattr(request, "tenant", None)
        if tenant is None:
            return self.get_response(request)
        request.brand = cast(BrandView, SimpleLazyObject(lambda: brand_or_name(tenant)))  # type: ignore[attr-defined]
        with timezone.override(tenant.zone):
            return self.get_response(request)


def brand_or_name(tenant: TenantFacts) -> BrandView:
    """Return the brand; the page that reports a broken database must still know the company's name."""
    try:
        return load_brand(tenant)
    except DatabaseError:
        log.exception("brand could not be read")
        return brand_of(tenant, None)
