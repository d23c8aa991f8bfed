"""Where somebody answers an estimate: as whom, and at which addresses it goes on; signed in or by a link (SHARE-12)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from portal.accounts.client import client_of
from portal.accounts.guards import CustomerRequest, actor_of
from portal.estimates.models import Estimate
from portal.estimates.services.deciding import Decider
from portal.invoices.policy import visible_to


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
        invoice_url=_invoice_url(request, estimate.invoice_id),
    )


def _invoice_url(request: CustomerRequest, invoice_id: UUID | None) -> str:
    """Return the page of the invoice that came of the estimate, where the person may see it (VIS-06…08)."""
    seen = invoice_id and visible_to(request.viewer, request.settings).filter(pk=invoice_id).exists()
    return reverse("invoices:detail", args=[invoice_id]) if seen else ""
