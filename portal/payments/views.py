"""The customer's payment pages: pay (P-09) and what became of it (P-10)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from infra.stripe_client import is_stripe_away
from portal.accounts.guards import CustomerRequest, actor_of, customer_view
from portal.estimates.views import get_estimate_for
from portal.invoices.access import get_invoice_for
from portal.payments import choosing, errors, notices, pages
from portal.payments.bills import Bill, DepositBill, InvoiceBill, address_after
from portal.payments.csp import with_card_form
from portal.payments.forms import PayForm
from portal.payments.models import PaymentAttempt
from portal.payments.notices import Notice
from portal.payments.plans import rules_of
from portal.payments.services.card_testing import must_sign_in
from portal.payments.services.claims import busy_since
from portal.payments.services.refusals import note_refusal
from portal.payments.services.settle import Settled, settle_attempt
from portal.payments.services.submit import own_under_way, submit_payment
from portal.payments.tills import PayRequest, at_portal


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@with_card_form
@customer_view
def pay(request: CustomerRequest, invoice_id: UUID) -> HttpResponseBase:
    """Show the card form of one invoice, or pay it or a part of it."""
    with _strangers_noted(request, invoice_id):
        invoice = get_invoice_for(request, invoice_id)
    return take_payment(at_portal(request), InvoiceBill([invoice]))


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@with_card_form
@customer_view
def pay_deposit(request: CustomerRequest, estimate_id: UUID) -> HttpResponseBase:
    """Show the card form of the deposit on an estimate, or pay it."""
    with _strangers_noted(request, estimate_id):
        estimate = get_estimate_for(request, estimate_id)
    return take_payment(at_portal(request), DepositBill(estimate))


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@with_card_form
@customer_view
def pay_several(request: CustomerRequest) -> HttpResponseBase:
    """Show the card form of several invoices, or of the whole balance, or pay them (PAY-07, PAY-08)."""
    if not rules_of(request.settings).several:
        raise Http404
    with _strangers_noted(request):
        invoices = choosing.chosen_invoices(request)
    if not invoices:
        return HttpResponseRedirect(reverse("invoices:list"))
    if len({invoice.bill_to_id for invoice in invoices}) > 1:
        messages.error(request, _("These invoices belong to different accounts. Please pay one account at a time."))
        return HttpResponseRedirect(reverse("invoices:list"))
    if len(invoices) == 1 and request.method != "POST":
        return HttpResponseRedirect(at_portal(request).till.pay_address([invoices[0].pk]))
    return take_payment(at_portal(request), InvoiceBill(invoices))


@contextmanager
def _strangers_noted(request: CustomerRequest, *asked: UUID) -> Iterator[None]:
    """Audit that somebody has sent a form for what they may not see; looking alone says nothing."""
    try:
        yield
    except Http404:
        if request.method == "POST":
            note_refusal(because="not found", ids=asked, by=actor_of(request), now=timezone.now())
        raise


def take_payment(request: PayRequest, bill: Bill) -> HttpResponseBase:
    """Show the card form of invoices of one account or of a deposit, or pay them; for whoever stands at the till."""
    if request.method == "POST":
        return _submit(request, bill)
    if bill.is_paid():
        return HttpResponseRedirect(bill.back(request.till)[0])
    if under_way := own_under_way(bill.ids, request.till.payer):
        return HttpResponseRedirect(request.till.result_address(under_way.pk))
    return _show(request, bill, _notice_for(request, bill))


def _notice_for(request: PayRequest, bill: Bill) -> Notice | None:
    """Return what the reader must know first: no cards, somebody is paying, the last try, a new amount."""
    account = request.tenant.payment_account
    if account is None or not account.can_charge:
        return notices.off_notice()
    payable = bill.payable(request.till.payer)
    if not all(payable.values()):
        since = busy_since(bill.bill_to_id, bill.ids)
        return notices.busy_notice(since, timezone.now()) if since else None
    if is_stripe_away():
        return notices.not_now_notice()
    if must_sign_in(request.till.payer, timezone.now()):
        return notices.sign_in_notice()
    if "changed" in request.GET:
        return notices.changed_notice(sum(payable.values()), bill.currency)
    last = _attempt_or_none(request, request.GET.get("attempt", ""))
    return notices.failure_notice(last) if last else None


def _attempt_or_none(request: PayRequest, text: str) -> PaymentAttempt | None:
    try:
        return request.till.find_attempt(UUID(text))
    except ValueError:
        return None


def _show(request: PayRequest, bill: Bill, error: Notice | None, status: int = 200) -> HttpResponse:
    page = pages.make_pay_page(request, bill, error=error, now=timezone.now())
    first: dict[str, object] = {"form_key": page.form_key, "seen_cents": page.amount_cents}
    first |= {name: request.POST.get(name, "") for name in ("name", "email")}
    values = {
        "page": page,
        "amount_cents": page.amount_cents,
        "currency": page.currency,
        "error": page.error,
        "client": page.client,
        "form": PayForm(page.currency, initial=first, asks_who=request.till.asks_who),
        "stripe_js_url": settings.ENV.stripe_js_url,
    }
    return render(request, "payments/pay.html", values, status=status)


def _submit(request: PayRequest, bill: Bill) -> HttpResponse:
    now, currency = timezone.now(), bill.currency
    form = PayForm(currency, request.POST, asks_who=request.till.asks_who)
    try:
        submission = form.submission(request.headers.get("User-Agent", "")[:300])
        if submission.saves and request.till.prove_address(bill.address(request.till)):
            raise errors.ProofNeeded
        settled = submit_payment(
            context=request.context,
            bill_to_id=bill.bill_to_id,
            **bill.targets(),
            payer=request.till.payer,
            submission=submission,
            rules=rules_of(request.settings),
            by=request.till.by,
            now=now,
            result_path=request.till.result_address,
        )
    except errors.PaymentRefused as error:
        because, seen = type(error).__name__, request.POST.get("seen_cents", "")
        note_refusal(because=because, ids=bill.ids, seen=seen, by=request.till.by, now=now)
        if isinstance(error, errors.AmountChanged):
            return _go(request, _marked(bill.address(request.till), "changed=1"))
        return _refuse(request, bill, notices.refusal_notice(error, currency=currency, now=now), 409)
    notice = notices.failure_notice(settled.attempt)
    if notice:
        return _refuse(request, bill, notice, 402)
    return _go(request, request.till.result_address(settled.attempt.pk))


def _marked(address: str, mark: str) -> str:
    """Return the address of a pay page with a word about why somebody is sent there."""
    return address + ("&" if "?" in address else "?") + mark


def _wants_json(request: PayRequest) -> bool:
    return request.accepts("application/json") and not request.accepts("text/html")


def _go(request: PayRequest, url: str) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"url": url})
    return HttpResponse(status=303, headers={"Location": url})


def _refuse(request: PayRequest, bill: Bill, notice: Notice, status: int) -> HttpResponse:
    """Say why, keep the form, and give it a new key: another card is another attempt (F8)."""
    fresh = bill.fresh()
    if not _wants_json(request):
        return _show(request, fresh, notice, status)
    page = pages.make_pay_page(request, fresh, error=notice, now=timezone.now())
    body = {"title": notice.title, "text": notice.text, "form_key": str(page.form_key)}
    return JsonResponse(body, status=status)


@transaction.non_atomic_requests
@require_GET
@with_card_form
@customer_view
def result(request: CustomerRequest, attempt_id: UUID) -> HttpResponseBase:
    """Show what became of a payment; looking again is safe, it settles what is still open."""
    return show_result(at_portal(request), attempt_id)


def show_result(request: PayRequest, attempt_id: UUID) -> HttpResponseBase:
    """Settle an attempt of whoever stands at the till and show the outcome; raises Http404."""
    settled = _settle(request, attempt_id)
    return _to_failure(request, settled) or render(request, "payments/result.html", _result_values(request, settled))


@transaction.non_atomic_requests
@require_GET
@customer_view
def status(request: CustomerRequest, attempt_id: UUID) -> HttpResponseBase:
    """Answer the waiting page: the same part again, or the way to where it goes on."""
    return show_status(at_portal(request), attempt_id)


def show_status(request: PayRequest, attempt_id: UUID) -> HttpResponseBase:
    """Settle an attempt of whoever stands at the till and answer with the changing part of its page; raises Http404."""
    settled = _settle(request, attempt_id)
    if settled.client_secret:
        return HttpResponseRedirect(request.till.result_address(attempt_id))
    values = _result_values(request, settled)
    return _to_failure(request, settled) or render(request, "payments/result.html#status", values)


def _settle(request: PayRequest, attempt_id: UUID) -> Settled:
    attempt = request.till.find_attempt(attempt_id)
    if attempt is None:
        raise Http404
    return settle_attempt(context=request.context, attempt_id=attempt.pk, now=timezone.now())


def _to_failure(request: PayRequest, settled: Settled) -> HttpResponse | None:
    """Lead to the pay page with the cause: there the payer can do something about it."""
    if notices.failure_notice(settled.attempt) is None:
        return None
    address = _marked(address_after(settled.attempt, request.till), f"attempt={settled.attempt.pk}")
    return HttpResponse(status=303, headers={"Location": address})


def _result_values(request: PayRequest, settled: Settled) -> dict[str, object]:
    values: dict[str, object] = {"result": pages.make_result(settled, request.till)}
    if settled.client_secret:
        values["stripe_js_url"] = settings.ENV.stripe_js_url
        values["client"] = {
            "publishableKey": settings.ENV.stripe_publishable_key,
            "account": settled.account_id,
            "secret": settled.client_secret,
        }
    return values
