"""The office's page on one invoice's links: mail it, copy a link, see and revoke what is out (SHARE-06, AUZ-06)."""

from __future__ import annotations

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
from portal.invoices.models import Invoice
from portal.invoices.policy import shown_for
from portal.invoices.rows import make_row
from portal.invoices.selectors import company_day
from portal.sharing.links import Minted
from portal.sharing.models import ShareLink
from portal.sharing.office_pages import link_lines
from portal.sharing.services import (
    NoSuchReader,
    NotShareable,
    TooMany,
    addresses_of,
    create_link,
    revoke_link,
    send_invoice,
)
from portal.ui.errors import forbidden, rate_limited


@require_safe
@staff_view(Permission.VIEW_INVOICES)
def links(request: StaffRequest, invoice_id: UUID) -> HttpResponse:
    """Show the links of an invoice."""
    return _show(request, _invoice_or_404(invoice_id), None)


@require_POST
@staff_view(Permission.SEND_INVOICES)
def mail(request: StaffRequest, invoice_id: UUID) -> HttpResponse:
    """Mail the invoice to one of the customer's addresses."""
    invoice, to = _invoice_or_404(invoice_id), request.POST.get("to", "")
    try:
        send_invoice(invoice=invoice, to=to, settings=request.settings, by=request.actor, now=timezone.now())
    except TooMany as error:
        return rate_limited(request, wait_seconds=error.wait_seconds)
    except NotShareable:
        messages.error(request, _("Customers don’t see this invoice, so it can’t be sent."))
    except NoSuchReader:
        messages.error(request, _("Choose one of the customer’s addresses."))
    else:
        messages.success(request, _("The invoice is on its way to %(email)s.") % {"email": to})
    return _back(invoice)


@require_POST
@staff_view(Permission.SEND_INVOICES)
def copy(request: StaffRequest, invoice_id: UUID) -> HttpResponse:
    """Make a link and show it this once: nobody can read it again."""
    invoice = _invoice_or_404(invoice_id)
    try:
        minted = create_link(invoice=invoice, settings=request.settings, by=request.actor, now=timezone.now())
    except TooMany as error:
        return rate_limited(request, wait_seconds=error.wait_seconds)
    except NotShareable:
        messages.error(request, _("Customers don’t see this invoice, so it can’t be sent."))
        return _back(invoice)
    return _show(request, invoice, minted)


@require_POST
@staff_view(Permission.SEND_INVOICES)
def revoke(request: StaffRequest, link_id: UUID) -> HttpResponse:
    """End a link at once."""
    link = ShareLink.objects.select_related("invoice").filter(pk=link_id).first()
    if link is None:
        raise Http404
    if link.estimate_id and not may(request.staff, Permission.SEND_ESTIMATES):
        return forbidden(request)
    if revoke_link(link=link, by=request.actor, now=timezone.now()):
        messages.success(request, _("The link no longer works."))
    if link.invoice is None:
        return HttpResponseRedirect(reverse("office:estimate", args=[link.estimate_id]), status=303)
    return _back(link.invoice)


def _invoice_or_404(invoice_id: UUID) -> Invoice:
    invoice = Invoice.objects.select_related("bill_to", "location").filter(pk=invoice_id).first()
    if invoice is None:
        raise Http404
    return invoice


def _back(invoice: Invoice) -> HttpResponse:
    return HttpResponseRedirect(reverse("office:invoice_links", args=[invoice.pk]), status=303)


def _show(request: StaffRequest, invoice: Invoice, minted: Minted | None) -> HttpResponse:
    now = timezone.now()
    shown = shown_for([invoice.bill_to_id], request.settings).filter(pk=invoice.pk).exists()
    context = {
        "invoice": make_row(invoice, today=company_day(request.tenant, now), can_charge=False),
        "addresses": addresses_of(invoice.bill_to_id),
        "lines": link_lines(invoice, now),
        "may_send": shown and may(request.staff, Permission.SEND_INVOICES),
        "may_revoke": may(request.staff, Permission.SEND_INVOICES),
        "is_hidden": not shown,
        "new_link": request.tenant.url(reverse("sharing:show", args=[minted.token])) if minted else "",
    }
    return render(request, "sharing/office_links.html", context)
