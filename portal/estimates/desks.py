"""Where somebody answers an estimate: as whom, and at which addresses it goes on; signed in or by a link (SHARE-12)."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from portal.accounts.client import client_of
from portal.accounts.guards import CustomerRequest, actor_of
from portal.estimates.models import Estimate
from portal.estimates.services.deciding import Decider


@dataclass(frozen=True, slots=True)
class Desk:
    """One reader's way through the pages of one estimate."""

    estimate: Estimate
    who: Decider
    name: str
    page_url: str
    approve_url: str
    answer_url: str
    again_url: str
    pay_url: str
    pdf_url: str
    back_url: str = ""
    sign_in_url: str = ""
    invoice_url: str = ""


def portal_desk(request: CustomerRequest, estimate: Estimate) -> Desk:
    """Return the desk of a signed-in person."""
    user, here = request.viewer.user, [estimate.pk]
    return Desk(
        estimate=estimate,
        who=Decider(
            actor_of(request),
            portal_user_id=user.pk,
            email=user.email,
            user_agent=client_of(request).user_agent,
        ),
        name=user.display_name,
        page_url=reverse("estimates:detail", args=here),
        approve_url=reverse("estimates:approve", args=here),
        answer_url=reverse("estimates:answer", args=here),
        again_url=reverse("estimates:again", args=here),
        pay_url=reverse("payments:deposit", args=here),
        pdf_url=reverse("estimates:pdf", args=here),
        back_url=reverse("estimates:list"),
        invoice_url=reverse("invoices:detail", args=[estimate.invoice_id]) if estimate.invoice_id else "",
    )
