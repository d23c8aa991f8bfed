"""Only signed-in operators whose role holds the action get in; everybody else signs in or finds nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from console.models import Operator, OperatorSession
from console.roles import Action, may
from console.services.sign_in import actor_of, find_session
from console.words import say
from portal.ui.context import PersonView
from tenants.audit import Actor
from tenants.middleware import request_id

COOKIE = "__Host-console" if settings.SECURE else "console"


class OperatorRequest(HttpRequest):
    """A request of a signed-in operator."""

    operator: Operator
    operator_session: OperatorSession
    actor: Actor
    person: PersonView


View = Callable[..., HttpResponse]


def operator_view(action: Action) -> Callable[[View], View]:
    """Let a view be seen by operators whose role holds `action`; a missing right looks like a missing page."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            token = request.COOKIES.get(COOKIE, "")
            session = find_session(token=token, now=timezone.now()) if token else None
            if session is None:
                query = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
                return HttpResponseRedirect(reverse("console:sign_in") + (f"?{query}" if query else ""))
            operator = session.operator
            if not may(operator, action):
                raise Http404
            request.operator = operator
            request.operator_session = session
            request.actor = actor_of(operator, request.META.get("REMOTE_ADDR"), request_id.get())
            initials = "".join(word[0] for word in operator.name.split()[:2]).upper()
            request.person = PersonView(operator.name, initials, say(operator.get_role_display()))
            return view(request, *args, **kwargs)

        return guarded

    return decorate
