"""Who may see a page of the office: one decorator, rights read from the database on every request (AUZ-13)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.client import Client, client_of
from portal.accounts.models import StaffSession, StaffUser
from portal.accounts.staff_permissions import Permission, may
from portal.accounts.staff_services import actor_of
from portal.accounts.staff_sessions import session_of
from portal.ui.brand import initials
from portal.ui.context import PersonView, TenantRequest
from portal.ui.errors import forbidden
from tenants.audit import Actor

Params = ParamSpec("Params")


class StaffRequest(TenantRequest):
    """A request by somebody who is signed in to the office."""

    staff: StaffUser
    staff_session: StaffSession
    person: PersonView
    client: Client
    actor: Actor


StaffView = Callable[Concatenate[StaffRequest, Params], HttpResponse]
AnyView = Callable[Concatenate[HttpRequest, Params], HttpResponse]


def staff_view(
    permission: Permission | None = None, *, while_held: bool = False
) -> Callable[[StaffView[Params]], AnyView[Params]]:
    """Serve a page to signed-in staff who have `permission`; others are sent to the sign-in page or refused.

    While the office is held for an unpaid bill, only pages that say `while_held` open; the others lead to the plan.
    """

    def decorate(view: StaffView[Params]) -> AnyView[Params]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponse:
            staff_request = open_office(request)
            if staff_request is None:
                return to_sign_in(request)
            if staff_request.context.access.office_held and not while_held:
                return HttpResponseRedirect(reverse("billing:plan"), status=303)
            if permission and not may(staff_request.staff, permission):
                return forbidden(staff_request)
            return view(staff_request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def open_office(request: HttpRequest) -> StaffRequest | None:
    """Put staff and person on the request, or return None when nobody is signed in to the office here."""
    given = cast(TenantRequest, request)
    session = session_of(request, given.tenant.id, timezone.now())
    if session is None:
        return None
    staff_request = cast(StaffRequest, given)
    staff_request.staff = session.staff_user
    staff_request.staff_session = session
    staff_request.client = client_of(request)
    staff_request.actor = actor_of(session.staff_user, staff_request.client)
    name = session.staff_user.name or session.staff_user.email or ""
    staff_request.person = PersonView(name=name, initials=initials(name), detail=role_name(session.staff_user.role))
    return staff_request


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send the browser to the sign-in page; a page that was only read is opened again afterwards."""
    here = request.get_full_path() if request.method in ("GET", "HEAD") else ""
    query = "?" + urlencode({"next": here}) if here else ""
    return HttpResponseRedirect(reverse("office:sign_in") + query)


def role_name(role: str) -> str:
    """Return a role as people call it."""
    names: dict[str, Any] = {
        StaffUser.Role.OWNER: _("Owner"),
        StaffUser.Role.ADMIN: _("Administrator"),
        StaffUser.Role.MANAGER: _("Office manager"),
        StaffUser.Role.CSR: _("Customer service"),
        StaffUser.Role.DISPATCHER: _("Dispatcher"),
        StaffUser.Role.TECHNICIAN: _("Technician"),
        StaffUser.Role.ACCOUNTANT: _("Accountant"),
        StaffUser.Role.READ_ONLY: _("Read only"),
    }
    return str(names.get(role, role))
