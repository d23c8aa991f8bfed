"""What every page of a link has in common: kept out of caches and referrers, closed with the portal if so wished."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from portal.payments.tills import PayRequest
from portal.settings.door import portal_off
from tenants.config.registry import SHARE_FOLLOWS_PORTAL

P = ParamSpec("P")
LinkView = Callable[Concatenate[PayRequest, P], HttpResponseBase]


def link_page(view: LinkView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Serve a page of a link; an unknown link is answered like any unknown page (AUZ-02, AUZ-06, C-19)."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        typed = cast(PayRequest, request)
        is_off = typed.context.access.door == "portal_off"
        if is_off and typed.settings.get(SHARE_FOLLOWS_PORTAL):
            return portal_off(request)
        try:
            response = view(typed, *args, **kwargs)
        except Http404:
            if is_off:
                return portal_off(request)
            raise
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        # A stricter policy would have the forms of the page sent with "Origin: null", which looks like another site's.
        # This one hands out the host's name alone: the address with its token stays here all the same.
        response["Referrer-Policy"] = "strict-origin"
        return response

    return guarded
