"""What a link opens: one invoice or estimate, its PDF, and paying it without signing in (P-34, SHARE-06…09)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from portal.accounts.client import client_of
from portal.estimates.models import Estimate
from portal.invoices.models import Invoice
from portal.invoices.selectors import InvoiceLinks, invoice_page
from portal.invoices.views import answer_pdf, how_to_pay
from portal.payments.bills import DepositBill, InvoiceBill
from portal.payments.csp import with_card_form
from portal.payments.models import PaymentAttempt
from portal.payments.services.refusals import note_refusal
from portal.payments.tills import PayRequest
from portal.payments.views import show_result, show_status, take_payment
from portal.sharing import estimate_views
from portal.sharing.browser import keep, keyring_of, new_keyring
from portal.sharing.doors import link_page
from portal.sharing.endings import ended, sign_in_url
from portal.sharing.links import Ended, find_link, look_at_estimate, look_through, note_opened, visitor
from portal.sharing.models import ShareLink
from portal.sharing.services import request_fresh_link
from portal.sharing.tills import LinkTill
from tenants.config.snapshot import Snapshot


@require_safe
@link_page
def show(request: PayRequest, token: str) -> HttpResponse:
    """Show the invoice of a link as the portal shows it, and nothing beside it (SHARE-06, SHARE-07, SHARE-11)."""
    now, link = timezone.now(), _link_or_404(token)
    if link.estimate:
        return estimate_views.show(request, link, token)
    invoice = look_through(link, request.settings, now)
    if not isinstance(invoice, Invoice):
        return ended(request, link, token, invoice)
    if request.method == "GET":
        note_opened(link=link, invoice=invoice, client=client_of(request), now=now)
    page = invoice_page(invoice, tenant=request.tenant, now=now)
    links = InvoiceLinks(
        pdf_url=reverse("sharing:pdf", args=[token]),
        pay_url=reverse("sharing:begin", args=[token]),
        sign_in_url=sign_in_url("invoices:list"),
    )
    context = {"page": page, "invoice": page.row, "links": links, "how_to_pay": how_to_pay(page)}
    return render(request, "invoices/detail.html", context)


@require_safe
@link_page
def download(request: PayRequest, token: str) -> HttpResponse:
    """Answer with the PDF of the link's invoice or estimate."""
    now, link = timezone.now(), _link_or_404(token)
    if link.estimate:
        return estimate_views.download(request, link, token)
    invoice = look_through(link, request.settings, now)
    if not isinstance(invoice, Invoice):
        return ended(request, link, token, invoice)
    return answer_pdf(invoice_page(invoice, tenant=request.tenant, now=now), request.brand)


@require_POST
@link_page
def fresh(request: PayRequest, token: str) -> HttpResponse:
    """Mail a fresh link to where the ended one went; the answer is the same whether one was sent."""
    now, link = timezone.now(), _link_or_404(token)
    state = _look(link, request.settings, now)
    if not isinstance(state, str):
        return HttpResponseRedirect(reverse("sharing:show", args=[token]), status=303)
    if state == "expired":
        request_fresh_link(link=link, client=client_of(request), now=now)
    return ended(request, link, token, state, resent=state == "expired" and bool(link.recipient))


@require_safe
@link_page
def begin(request: PayRequest, token: str) -> HttpResponse:
    """Hang the link on the browser's ring and go on to the pay page, whose address holds no token."""
    link = _link_or_404(token)
    found = _look(link, request.settings, timezone.now())
    if isinstance(found, str):
        return ended(request, link, token, found)
    response = HttpResponseRedirect(reverse("sharing:pay", args=[link.pk]))
    keep(response, (keyring_of(request) or new_keyring()).with_token(token))
    return response


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@with_card_form
@link_page
def pay(request: PayRequest, link_id: UUID) -> HttpResponseBase:
    """Show the card form of the link's invoice or deposit, or pay it or a part of it."""
    link = ShareLink.objects.select_related("invoice", "estimate").filter(pk=link_id).first()
    till = _stand_at_till(request, link)
    found = _look(till.link, request.settings, timezone.now())
    if isinstance(found, str):
        if request.method == "POST":
            ids = [pk for pk in (till.link.invoice_id, till.link.estimate_id) if pk]
            note_refusal(because=found, ids=ids, by=till.by, now=timezone.now())
        return ended(request, till.link, till.token, found)
    return take_payment(request, DepositBill(found) if isinstance(found, Estimate) else InvoiceBill([found]))


@transaction.non_atomic_requests
@require_GET
@with_card_form
@link_page
def paid(request: PayRequest, attempt_id: UUID) -> HttpResponseBase:
    """Show the browser that paid what became of it, also after the link has ended."""
    _stand_at_till(request, _link_of(attempt_id))
    return show_result(request, attempt_id)


@transaction.non_atomic_requests
@require_GET
@link_page
def status(request: PayRequest, attempt_id: UUID) -> HttpResponseBase:
    """Answer the waiting page."""
    _stand_at_till(request, _link_of(attempt_id))
    return show_status(request, attempt_id)


@require_http_methods(["GET", "HEAD", "POST"])
@link_page
def approve(request: PayRequest, token: str) -> HttpResponse:
    """Sign for one option of the link's estimate (SHARE-10, EST-03)."""
    return estimate_views.approve(request, _estimate_link_or_404(token), token)


@require_http_methods(["GET", "HEAD", "POST"])
@link_page
def answer(request: PayRequest, token: str) -> HttpResponse:
    """Decline the link's estimate, or ask for changes."""
    return estimate_views.answer(request, _estimate_link_or_404(token), token)


@require_POST
@link_page
def again(request: PayRequest, token: str) -> HttpResponse:
    """Ask for the link's estimate anew."""
    return estimate_views.again(request, _estimate_link_or_404(token), token)


def _look(link: ShareLink, settings: Snapshot, now: datetime) -> Invoice | Estimate | Ended:
    """Return what a link opens, whatever its kind, or why it opens nothing."""
    return look_at_estimate(link, now) if link.estimate else look_through(link, settings, now)


def _estimate_link_or_404(token: str) -> ShareLink:
    link = _link_or_404(token)
    if link.estimate is None:
        raise Http404
    return link


def _link_or_404(token: str) -> ShareLink:
    link = find_link(token)
    if link is None:
        raise Http404
    return link


def _link_of(attempt_id: UUID) -> ShareLink | None:
    attempt = PaymentAttempt.objects.filter(pk=attempt_id).first()
    if attempt is None or attempt.share_link_id is None:
        return None
    return ShareLink.objects.filter(pk=attempt.share_link_id).first()


def _stand_at_till(request: PayRequest, link: ShareLink | None) -> LinkTill:
    """Put the till of a link on the request; raises Http404 for a browser that does not hold the link."""
    ring = keyring_of(request)
    token = ring.find(bytes(link.token_hash)) if ring and link else ""
    if ring is None or link is None or not token:
        raise Http404
    till = LinkTill(link, token, ring, visitor(link, client_of(request)))
    request.till = till
    return till
