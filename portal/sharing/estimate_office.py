"""The office's page of one estimate: what it says, what became of it, mail it, copy a link (F-15)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.estimates.errors import EstimateRefused, HasExpired
from portal.estimates.models import Estimate, EstimateDecision
from portal.estimates.offer import Offer, Option, Sums, read_offer
from portal.estimates.rows import ANSWERABLE, make_rows
from portal.estimates.services.drafting import EDITABLE, current_version, unsent_version
from portal.invoices.selectors import company_day
from portal.sharing.links import Minted
from portal.sharing.office_pages import estimate_link_lines
from portal.sharing.services import (
    NoSuchReader,
    TooMany,
    addresses_of,
    create_estimate_link,
    send_estimate,
    strangers_of,
)
from portal.ui.errors import rate_limited

Status = Estimate.Status


@require_safe
@staff_view(Permission.VIEW_ESTIMATES)
def estimate(request: StaffRequest, estimate_id: UUID) -> HttpResponse:
    """Show an estimate."""
    return _show(request, _estimate_or_404(estimate_id), None)


@require_POST
@staff_view(Permission.SEND_ESTIMATES)
def mail(request: StaffRequest, estimate_id: UUID) -> HttpResponse:
    """Mail the newest version to one of the customer's addresses."""
    found, to, now = _estimate_or_404(estimate_id), request.POST.get("to", ""), timezone.now()
    today = company_day(request.tenant, now)
    invites = "invite" in request.POST and may(request.staff, Permission.MANAGE_ACCESS)
    try:
        send_estimate(estimate_id=found.pk, to=to, today=today, by=request.actor, now=now, invites=invites)
    except TooMany as error:
        return rate_limited(request, wait_seconds=error.wait_seconds)
    except NoSuchReader:
        messages.error(request, _("Choose one of the customer’s addresses."))
    except EstimateRefused as error:
        messages.error(request, _words(error))
    else:
        messages.success(request, _("The estimate is on its way to %(email)s.") % {"email": to})
    return HttpResponseRedirect(reverse("office:estimate", args=[found.pk]), status=303)


@require_POST
@staff_view(Permission.SEND_ESTIMATES)
def copy(request: StaffRequest, estimate_id: UUID) -> HttpResponse:
    """Make a link and show it this once: nobody can read it again."""
    found, now = _estimate_or_404(estimate_id), timezone.now()
    try:
        minted = create_estimate_link(
            estimate_id=found.pk,
            settings=request.settings,
            today=company_day(request.tenant, now),
            by=request.actor,
            now=now,
        )
    except TooMany as error:
        return rate_limited(request, wait_seconds=error.wait_seconds)
    except EstimateRefused as error:
        messages.error(request, _words(error))
        return HttpResponseRedirect(reverse("office:estimate", args=[found.pk]), status=303)
    return _show(request, _estimate_or_404(estimate_id), minted)


def _words(error: EstimateRefused) -> str:
    if isinstance(error, HasExpired):
        return _("Its last day is over. Write a new version with a later one.")
    return _("There is no version that could be sent. Write one first.")


def _estimate_or_404(estimate_id: UUID) -> Estimate:
    found = Estimate.objects.select_related("customer", "location", "invoice").filter(pk=estimate_id).first()
    if found is None:
        raise Http404
    return found


def _show(request: StaffRequest, found: Estimate, minted: Minted | None) -> HttpResponse:
    now = timezone.now()
    today = company_day(request.tenant, now)
    addresses = addresses_of(found.customer_id)
    draft = unsent_version(found)
    shown = draft or current_version(found)
    offer = read_offer(shown.body)
    row = make_rows([found], today=today, for_office=True)[0]
    sends = may(request.staff, Permission.SEND_ESTIMATES)
    manages = may(request.staff, Permission.MANAGE_ESTIMATES)
    context = {
        "estimate": row,
        "found": found,
        "offer": offer,
        "options": [_option(offer, option, found) for option in offer.options],
        "version": shown,
        "is_draft": draft is not None,
        "answers": EstimateDecision.objects.filter(estimate=found).order_by("id"),
        "addresses": addresses,
        "lines": estimate_link_lines(found, now),
        "may_edit": sends and found.status in EDITABLE,
        "may_send": sends and found.status in EDITABLE and (draft is not None or row.state in ANSWERABLE),
        "may_invite": may(request.staff, Permission.MANAGE_ACCESS) and bool(strangers_of(found.customer_id, addresses)),
        "may_revoke": sends,
        "may_convert": manages and found.status == Status.APPROVED,
        "may_cancel": manages and found.status not in (Status.CANCELED, Status.CONVERTED),
        "new_link": request.tenant.url(reverse("sharing:show", args=[minted.token])) if minted else "",
    }
    return render(request, "sharing/office_estimate.html", context)


def _option(offer: Offer, option: Option, found: Estimate) -> dict[str, Any]:
    """Return an option with its price as it is preselected, or as it was approved."""
    chosen = option.key == found.option_key
    sums: Sums = offer.sums(option, found.line_keys if chosen else option.preselected())
    return {"option": option, "sums": sums, "chosen": chosen, "picked": found.line_keys if chosen else []}
