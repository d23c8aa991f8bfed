"""The customer's page of cards and bank accounts on file: see, add, replace, choose the default, remove (P-11)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.forms import CharField, Form, HiddenInput, UUIDField
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from portal.accounts.guards import actor_of
from portal.accounts.proof_views import with_fresh_proof
from portal.invoices.methods import method_words
from portal.invoices.selectors import company_day
from portal.methods import errors, pages
from portal.methods.access import MethodsRequest, method_of, methods_view
from portal.methods.services.adding import Addition, add_method, settle_method
from portal.methods.services.changing import make_default, remove_method
from portal.payments import ways
from portal.payments.csp import with_card_form
from portal.payments.models import PaymentMethod
from portal.payments.notices import Notice
from portal.payments.plans import rules_of
from tenants.config.registry import AUTOPAY_OFFERED, CARDS_ALLOW_ADD, CARDS_ALLOW_DELETE


class AddForm(Form):
    """What the add page sends; there is no field for a card or an account (PAY-01)."""

    form_key = UUIDField(widget=HiddenInput)
    token = CharField(widget=HiddenInput, max_length=64)


@require_safe
@methods_view
def show_methods(request: MethodsRequest) -> HttpResponse:
    """Show what is on file, with what can be done about each."""
    rows = pages.method_rows(request.customer_id, company_day(request.tenant, timezone.now()))
    context = {
        "rows": rows,
        "may_add": _may_add(request),
        "may_remove": request.settings.get(CARDS_ALLOW_DELETE),
        "offers_autopay": request.settings.get(AUTOPAY_OFFERED),
        "account": request.viewer.chosen if len(request.viewer.grants) > 1 else None,
    }
    return render(request, "methods/list.html", context)


def _may_add(request: MethodsRequest) -> bool:
    account = request.tenant.payment_account
    can = account is not None and account.can_charge
    takes = ways.takes_anything(rules_of(request.settings), request.tenant.currency)
    return can and takes and request.settings.get(CARDS_ALLOW_ADD)


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@with_card_form
@methods_view
@with_fresh_proof
def add(request: MethodsRequest) -> HttpResponse:
    """Show the form, or keep what was typed into Stripe's frame."""
    return _add(request, None)


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@with_card_form
@methods_view
@with_fresh_proof
def replace(request: MethodsRequest, method_id: UUID) -> HttpResponse:
    """Add a method that takes the place of another in everything (CARD-02)."""
    return _add(request, method_of(request, method_id, PaymentMethod.LIVE))


def _add(request: MethodsRequest, old: PaymentMethod | None) -> HttpResponse:
    if not _may_add(request):
        raise Http404
    if request.method != "POST":
        return _show_form(request, old, None)
    form = AddForm(request.POST)
    if not form.is_valid():
        return _refuse(request, old, _refusal(errors.FormReused()), 409)
    try:
        result = add_method(
            context=request.context,
            customer_id=request.customer_id,
            portal_user_id=request.viewer.user.pk,
            addition=Addition(form.cleaned_data["form_key"], form.cleaned_data["token"], old.pk if old else None),
            excluded=pages.excluded_for(request.settings, request.tenant.currency),
            by=actor_of(request),
            now=timezone.now(),
        )
    except errors.MethodRefused as error:
        return _refuse(request, old, _refusal(error), 409)
    if notice := pages.failure_notice(result.row):
        return _refuse(request, old, notice, 402)
    return _go(request, reverse("methods:added", args=[result.row.pk]))


def _refusal(error: errors.MethodRefused) -> Notice:
    if isinstance(error, errors.TooManyDeclines):
        return Notice(_("Too many cards were declined"), _("Nothing was kept. Try again in ten minutes, or call us."))
    if isinstance(error, errors.MethodsOff):
        return Notice(_("This doesn’t work right now"), _("Nothing was kept. Try again in a few minutes, or call us."))
    if isinstance(error, errors.UnknownMethod):
        return Notice(_("This card or account is not on file any more"), _("You can add a new one."))
    return Notice(_("The form has expired"), _("Nothing was kept. Enter it once more."))


def _wants_json(request: MethodsRequest) -> bool:
    return request.accepts("application/json") and not request.accepts("text/html")


def _go(request: MethodsRequest, url: str) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"url": url})
    return HttpResponse(status=303, headers={"Location": url})


def _refuse(request: MethodsRequest, old: PaymentMethod | None, notice: Notice, status: int) -> HttpResponse:
    """Say why and keep the form with a new key: another card is another call (F8)."""
    if not _wants_json(request):
        return _show_form(request, old, notice, status)
    return JsonResponse({"title": notice.title, "text": notice.text, "form_key": str(uuid4())}, status=status)


def _show_form(
    request: MethodsRequest, old: PaymentMethod | None, notice: Notice | None, status: int = 200
) -> HttpResponse:
    values: dict[str, Any] = {
        "form": AddForm(initial={"form_key": uuid4()}),
        "old": method_words(old.shown) if old else "",
        "error": notice,
        "client": pages.client_values(request.context),
        "stripe_js_url": settings.ENV.stripe_js_url,
    }
    return render(request, "methods/add.html", values, status=status)


@transaction.non_atomic_requests
@require_GET
@with_card_form
@methods_view
def added(request: MethodsRequest, method_id: UUID) -> HttpResponseBase:
    """Show what became of an addition; looking again is safe, it settles what is still open."""
    row = PaymentMethod.objects.filter(pk=method_id, bill_to_id=request.customer_id).first()
    if row is None or row.added_by_id != request.viewer.user.pk:
        raise Http404
    result = settle_method(context=request.context, method_id=row.pk, now=timezone.now())
    if notice := pages.failure_notice(result.row):
        messages.error(request, f"{notice.title}. {notice.text}")
        return HttpResponseRedirect(reverse("methods:add"), status=303)
    if result.row.state == PaymentMethod.State.ACTIVE:
        messages.success(request, _("%(method)s is on file.") % {"method": method_words(result.row.shown)})
        return HttpResponseRedirect(reverse("methods:list"), status=303)
    values: dict[str, Any] = {"row": pages.make_row(result.row, company_day(request.tenant, timezone.now()))}
    values["asks"] = bool(result.client_secret)
    if result.client_secret:
        values["stripe_js_url"] = settings.ENV.stripe_js_url
        values["client"] = {
            "publishableKey": settings.ENV.stripe_publishable_key,
            "account": result.account_id,
            "secret": result.client_secret,
        }
    return render(request, "methods/added.html", values)


@require_http_methods(["POST"])
@methods_view
def default(request: MethodsRequest, method_id: UUID) -> HttpResponse:
    """Have the pay page offer this method first."""
    try:
        row = make_default(
            customer_id=request.customer_id, method_id=method_id, by=actor_of(request), now=timezone.now()
        )
    except errors.UnknownMethod:
        raise Http404 from None
    messages.success(request, _("%(method)s is your default now.") % {"method": method_words(row.shown)})
    return HttpResponseRedirect(reverse("methods:list"), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@methods_view
@with_fresh_proof
def remove(request: MethodsRequest, method_id: UUID) -> HttpResponse:
    """Ask, then take a method off file (CARD-03)."""
    if not request.settings.get(CARDS_ALLOW_DELETE):
        raise Http404
    row = method_of(request, method_id, PaymentMethod.LIVE)
    words = method_words(row.shown)
    if request.method != "POST":
        return render(request, "methods/remove.html", {"words": words, "may_add": _may_add(request), "id": row.pk})
    try:
        remove_method(customer_id=request.customer_id, method_id=row.pk, by=actor_of(request), now=timezone.now())
    except errors.UnknownMethod:
        raise Http404 from None
    except errors.StillNeeded:
        messages.error(
            request,
            _("%(method)s stays: Autopay charges it. Replace it, or choose another one for autopay first.")
            % {"method": words},
        )
        return HttpResponseRedirect(reverse("methods:list"), status=303)
    messages.success(request, _("%(method)s is off file.") % {"method": words})
    return HttpResponseRedirect(reverse("methods:list"), status=303)
