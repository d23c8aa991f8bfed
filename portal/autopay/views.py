"""The customer's page of autopay: allow it, see what is charged next, skip once, pause, end (P-12)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.proof_views import ask_first, with_fresh_proof
from portal.autopay import errors
from portal.autopay.forms import TermsForm
from portal.autopay.pages import live_mandate, make_page
from portal.autopay.services import mandates
from portal.invoices.selectors import company_day
from portal.methods.access import MethodsRequest, actor_of, methods_view
from portal.payments import ways
from portal.payments.models import AutopayMandate
from portal.payments.plans import rules_of
from tenants.config.registry import AUTOPAY_OFFERED

DEFAULT_CAP_CENTS, DEFAULT_NOTICE = 100_000, 5


@require_safe
@methods_view
def show(request: MethodsRequest) -> HttpResponse:
    """Show autopay and what it charges next, or offer it."""
    mandate = live_mandate(request.customer_id)
    if mandate is None and not request.settings.get(AUTOPAY_OFFERED):
        raise Http404
    today = company_day(request.tenant, timezone.now())
    page = make_page(mandate, today) if mandate else None
    context = {"page": page, "currency": request.tenant.currency, "may_change": request.settings.get(AUTOPAY_OFFERED)}
    return render(request, "autopay/show.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@methods_view
@with_fresh_proof
def set_up(request: MethodsRequest) -> HttpResponse:
    """Ask for the limits, then allow autopay within them."""
    if not request.settings.get(AUTOPAY_OFFERED):
        raise Http404
    tenant = request.tenant
    usable = ways.find_usable(request.customer_id, rules_of(request.settings), tenant.currency)
    if not usable:
        messages.info(request, _("Put a card or bank account on file first, then turn on autopay."))
        return HttpResponseRedirect(reverse("methods:add"), status=303)
    mandate = live_mandate(request.customer_id)
    if request.method != "POST":
        initial = _initial(mandate, next(iter(usable)))
        return _show_form(request, TermsForm(usable.values(), tenant.currency, tenant.display_name, initial=initial))
    form = TermsForm(usable.values(), tenant.currency, tenant.display_name, request.POST)
    if not form.is_valid():
        return _show_form(request, form, 422)
    try:
        mandates.authorise(
            customer_id=request.customer_id,
            portal_user_id=request.viewer.user.pk,
            terms=form.terms(),
            by=actor_of(request),
            now=timezone.now(),
        )
    except errors.UnusableMethod:
        form.add_error("method", _("This card or account is not on file any more."))
        return _show_form(request, form, 422)
    messages.success(request, _("Autopay is on. You are told before each charge."))
    return HttpResponseRedirect(reverse("autopay:show"), status=303)


def _initial(mandate: AutopayMandate | None, first: UUID) -> dict[str, object]:
    if mandate is None:
        return {"method": str(first), "cap": DEFAULT_CAP_CENTS, "notice": DEFAULT_NOTICE}
    return {
        "method": str(mandate.method_id),
        "fallback": str(mandate.fallback_id or ""),
        "cap": mandate.cap_cents,
        "notice": mandate.notice_days,
    }


def _show_form(request: MethodsRequest, form: TermsForm, status: int = 200) -> HttpResponse:
    return render(request, "autopay/set_up.html", {"form": form}, status=status)


@require_POST
@methods_view
def change(request: MethodsRequest) -> HttpResponse:
    """Pause, turn on again, or end autopay."""
    wanted = request.POST.get("do", "")
    services = {"pause": mandates.pause, "resume": mandates.resume, "revoke": mandates.revoke}
    words = {
        "pause": _("Autopay is paused. Nothing is charged until you turn it on again."),
        "resume": _("Autopay is on again."),
        "revoke": _("Autopay is off. Nothing is charged any more."),
    }
    if wanted not in services:
        raise Http404
    # What stops charges is at hand at any time; what lets them happen needs the proof (AUN-29).
    if wanted == "resume" and (proof := ask_first(request, reverse("autopay:show"))):
        return proof
    try:
        services[wanted](customer_id=request.customer_id, by=actor_of(request), now=timezone.now())
    except errors.UnknownMandate:
        raise Http404 from None
    except errors.UnusableMethod:
        messages.error(request, _("This card or account can’t be used any more. Choose another one first."))
        return HttpResponseRedirect(reverse("autopay:set_up"), status=303)
    messages.success(request, words[wanted])
    return HttpResponseRedirect(reverse("autopay:show"), status=303)


@require_POST
@methods_view
def skip(request: MethodsRequest, charge_id: UUID) -> HttpResponse:
    """Leave one invoice to be paid by hand."""
    now = timezone.now()
    try:
        charge = mandates.skip_charge(
            customer_id=request.customer_id,
            charge_id=charge_id,
            today=company_day(request.tenant, now),
            by=actor_of(request),
            now=now,
        )
    except errors.UnknownMandate:
        raise Http404 from None
    except errors.TooLate:
        messages.error(request, _("This charge can’t be skipped any more. Call us and we look at it together."))
    else:
        names = {"number": charge.invoice.number}
        messages.success(request, _("Invoice %(number)s is not charged. You can pay it yourself.") % names)
    return HttpResponseRedirect(reverse("autopay:show"), status=303)
