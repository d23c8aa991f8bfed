"""Where somebody answers an estimate: as whom, and at which addresses it goes on; signed in or by a link (SHARE-12)."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from portal.accounts.client import client_of
from portal.accounts.guards import CustomerRequest
from portal.estimates.models import Estimate
from portal.estimates.services.deciding import Decider
from portal.settings.models import CompanyProfile
from portal.ui.brand import BrandView
from tenants.audit import Actor
from tenants.config.snapshot import Snapshot
from tenants.context import TenantContext, TenantFacts


class DeskRequest(HttpRequest):
    """A request by somebody who may answer an estimate."""

    context: TenantContext
    tenant: TenantFacts
    settings: Snapshot
    brand: BrandView


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
    client, user = client_of(request), request.viewer.user
    by = Actor("customer", user.pk, user.display_name or user.email, client.ip, client.request_id)
    here = [estimate.pk]
    return Desk(
        estimate=estimate,
        who=Decider(by, portal_user_id=user.pk, email=user.email, user_agent=client.user_agent),
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


def how_to_pay() -> str:
    """Return the company's own words on how to pay where no button can stand (PLT-18)."""
    text = CompanyProfile.objects.filter(pk=1).values_list("how_to_pay", flat=True).first()
    return text or ""
