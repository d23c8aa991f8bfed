"""Lets only signed-in customers into a view, with their rights read anew (AUN-06, AUZ-13)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from portal.accounts.client import client_of
from portal.accounts.models import PortalSession
from portal.accounts.sessions import clear_cookie, cookie_name, end_session, session_of
from portal.accounts.viewer import Grant, Viewer, usable_grants
from portal.ui.brand import initials
from portal.ui.context import PersonView, TenantRequest
from tenants.audit import Actor
from tenants.context import TenantFacts

P = ParamSpec("P")


class CustomerRequest(TenantRequest):
    """A request of a signed-in customer on a company's host."""

    viewer: Viewer
    person: PersonView
    nav_counts: dict[str, int]
    nav_hidden: frozenset[str]


CustomerView = Callable[Concatenate[CustomerRequest, P], HttpResponseBase]


def account_cookie_name() -> str:
    """Return the name of the cookie that holds the chosen account."""
    return "__Host-account" if settings.SESSION_COOKIE_SECURE else "account"


def customer_view(view: CustomerView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Run the view for a signed-in customer, else lead to the sign-in page and back (HOST-07)."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        viewer = find_viewer(request)
        if viewer is None:
            return _to_sign_in(request)
        typed = cast(CustomerRequest, request)
        typed.viewer = viewer
        typed.person = person_of(viewer)
        return view(typed, *args, **kwargs)

    return guarded


def find_viewer(request: HttpRequest) -> Viewer | None:
    """Return who is signed in; a session whose every grant has gone is ended here (AUN-09)."""
    tenant: TenantFacts = request.tenant  # type: ignore[attr-defined]
    now = timezone.now()
    session = session_of(request, tenant.id, now)
    if session is None:
        return None
    grants = usable_grants(session.portal_user)
    if not grants:
        end_session(session_id=session.pk, reason="access_ended", now=now)
        return None
    return _viewer(session, grants, request.COOKIES.get(account_cookie_name(), ""))


def _viewer(session: PortalSession, grants: tuple[Grant, ...], wanted: str) -> Viewer:
    chosen: Grant | None = grants[0] if len(grants) == 1 else None
    if chosen is None and wanted:
        chosen = next((grant for grant in grants if str(grant.customer_id) == wanted), None)
    return Viewer(session.portal_user, session.pk, grants, chosen, session.proved_at)


def person_of(viewer: Viewer) -> PersonView:
    """Return how the header shows the person: by name, and for which account."""
    account = viewer.chosen.customer_name if viewer.chosen else ""
    name = viewer.user.display_name or account or viewer.user.email
    return PersonView(name, initials(name), account if account and account != name else viewer.user.email)


def actor_of(request: CustomerRequest) -> Actor:
    """Name the signed-in person in the audit."""
    client, user = client_of(request), request.viewer.user
    return Actor("customer", user.pk, user.display_name or user.email, client.ip, client.request_id)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    address = reverse("accounts:sign_in")
    back = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    if back != "/":
        address = f"{address}?{urlencode({'next': back})}"
    response = HttpResponseRedirect(address)
    if cookie_name() in request.COOKIES:
        clear_cookie(response)
    return response
