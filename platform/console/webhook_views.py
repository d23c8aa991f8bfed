"""O-08: what Stripe told us and we could not act on, with a way to try again."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from console.guards import OperatorRequest, operator_view
from console.roles import may
from console.selectors import Badge
from tenants.models import Tenant
from webhooks.models import WebhookInbox
from webhooks.services.process import replay_event

State = WebhookInbox.State
STATES = (State.PARKED, State.FAILED, State.RECEIVED, State.DONE, State.IGNORED)


@require_safe
@operator_view("webhooks.view")
def webhooks(request: OperatorRequest) -> HttpResponse:
    """List events by state; what needs somebody comes first."""
    state = request.GET.get("state", State.PARKED)
    if state not in STATES:
        state = State.PARKED
    counts = dict(WebhookInbox.objects.values_list("state").annotate(n=Count("id")))
    found = WebhookInbox.objects.filter(state=state).defer("payload").order_by("-received_at")
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    wanted = {event.tenant_id for event in page.object_list if event.tenant_id}
    names = dict(Tenant.objects.filter(pk__in=wanted).values_list("pk", "display_name"))
    words = _words()
    rows = [
        {
            "event": event,
            "company": names.get(event.tenant_id, "") if event.tenant_id else "",
            "badge": words[event.state],
        }
        for event in page.object_list
    ]
    chips = [
        {
            "url": "?" + urlencode({"state": name}),
            "text": f"{words[name].text} {counts.get(name, 0)}",
            "current": name == state,
        }
        for name in STATES
    ]
    context = {
        "rows": rows,
        "page": page,
        "chips": chips,
        "query": urlencode({"state": state}),
        "may_replay": may(request.operator, "webhooks.replay") and state in (State.PARKED, State.FAILED),
    }
    return render(request, "console/webhooks.html", context)


def _words() -> dict[str, Badge]:
    return {
        State.PARKED: Badge("bad", _("Parked"), "triangle-alert"),
        State.FAILED: Badge("warn", _("Failed"), "refresh-cw"),
        State.RECEIVED: Badge("info", _("Waiting"), "clock"),
        State.DONE: Badge("ok", _("Done"), "circle-check"),
        State.IGNORED: Badge("", _("Ignored")),
    }


@transaction.non_atomic_requests
@require_POST
@operator_view("webhooks.replay")
def replay(request: OperatorRequest, inbox_id: UUID) -> HttpResponse:
    """Work one event off once more."""
    if not WebhookInbox.objects.filter(pk=inbox_id, state__in=[State.PARKED, State.FAILED]).exists():
        raise Http404
    replay_event(inbox_id=inbox_id, reason="asked for in the console", by=request.actor, now=timezone.now())
    messages.success(request, _("The event is worked off once more."))
    return redirect("console:webhooks")
