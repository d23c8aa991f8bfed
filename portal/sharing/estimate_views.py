"""What a link to an estimate opens: the pages of the portal, for whoever holds the link (SHARE-10, SHARE-12)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from portal.accounts.client import client_of
from portal.estimates import answers
from portal.estimates.desks import Desk
from portal.estimates.models import Estimate
from portal.estimates.services.deciding import Decider
from portal.payments.tills import PayRequest
from portal.sharing.endings import ended, sign_in_url
from portal.sharing.links import look_at_estimate, note_opened, visitor
from portal.sharing.models import ShareLink


def show(request: PayRequest, link: ShareLink, token: str) -> HttpResponse:
    """Show the estimate of a link as the portal shows it."""
    estimate = look_at_estimate(link, timezone.now())
    if not isinstance(estimate, Estimate):
        return ended(request, link, token, estimate)
    if request.method == "GET":
        note_opened(link=link, client=client_of(request), now=timezone.now())
    return answers.show(request, _desk(request, link, token, estimate))


def download(request: PayRequest, link: ShareLink, token: str) -> HttpResponse:
    """Answer with its PDF."""
    return _at_desk(request, link, token, answers.download)


def approve(request: PayRequest, link: ShareLink, token: str) -> HttpResponse:
    """Sign for one option."""
    return _at_desk(request, link, token, answers.approve)


def answer(request: PayRequest, link: ShareLink, token: str) -> HttpResponse:
    """Decline it, or ask for changes."""
    return _at_desk(request, link, token, answers.answer)


def again(request: PayRequest, link: ShareLink, token: str) -> HttpResponse:
    """Ask for it anew."""
    return _at_desk(request, link, token, answers.again)


def _at_desk(
    request: PayRequest, link: ShareLink, token: str, view: Callable[[PayRequest, Desk], HttpResponse]
) -> HttpResponse:
    estimate = look_at_estimate(link, timezone.now())
    if not isinstance(estimate, Estimate):
        return ended(request, link, token, estimate)
    return view(request, _desk(request, link, token, estimate))


def _desk(request: PayRequest, link: ShareLink, token: str, estimate: Estimate) -> Desk:
    client = client_of(request)
    return Desk(
        estimate=estimate,
        who=Decider(visitor(link, client), share_link_id=link.pk, email=link.recipient, user_agent=client.user_agent),
        name="",
        page_url=reverse("sharing:show", args=[token]),
        approve_url=reverse("sharing:approve", args=[token]),
        answer_url=reverse("sharing:answer", args=[token]),
        again_url=reverse("sharing:again", args=[token]),
        pay_url=reverse("sharing:begin", args=[token]),
        pdf_url=reverse("sharing:pdf", args=[token]),
        sign_in_url=sign_in_url("estimates:list"),
    )
