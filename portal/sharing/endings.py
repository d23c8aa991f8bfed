"""What a link that opens nothing shows, and the way to everything else."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

from portal.accounts.emails import mask_email
from portal.payments.tills import PayRequest
from portal.sharing.links import Ended
from portal.sharing.models import ShareLink


def sign_in_url(list_name: str) -> str:
    """Return where the rest is seen; nothing while the portal is off."""
    try:
        return f"{reverse('accounts:sign_in')}?{urlencode({'next': reverse(list_name)})}"
    except NoReverseMatch:
        return ""


def ended(request: PayRequest, link: ShareLink, token: str, reason: Ended, *, resent: bool = False) -> HttpResponse:
    """Say why the link opens nothing, and offer what can be done about it."""
    may_send = reason == "expired" and bool(link.recipient) and not resent
    context = {
        "reason": reason,
        "is_estimate": link.kind == ShareLink.Kind.ESTIMATE,
        "resent": resent,
        "fresh_url": reverse("sharing:fresh", args=[token]) if may_send else "",
        "masked_email": mask_email(link.recipient) if link.recipient else "",
        "ended_on": link.expires_at,
        "sign_in_url": sign_in_url("estimates:list" if link.kind == ShareLink.Kind.ESTIMATE else "invoices:list"),
    }
    return render(request, "sharing/ended.html", context, status=200 if resent else 410)
