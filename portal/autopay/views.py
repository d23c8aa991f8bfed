"""The customer's page of autopay: allow it, see what is charged next, skip once, pause, end (P-12)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.guards import actor_of
from portal.accounts.proof_views import ask_first, with_fresh_proof
from portal.autopay import errors
from portal.autopay.agreement import consent_to, place_words
from portal.autopay.document import answer_permission
from portal.autopay.forms import EVERYWHERE, TermsForm
from portal.autopay.pages import free_places, living_mandates, make_pages
from portal.autopay.services import mandates, turning_on
from portal.customers.models import Location
from portal.invoices.selectors import company_day
from portal.methods.access import MethodsRequest, methods_view
from portal.payments import ways
from portal.payments.models import AutopayMandate
from portal.payments.plans import rules_of
from tenants.config.registry import AUTOPAY_OFFERED

DEFAULT_CAP_CENTS, DEFAULT_NOTICE = 100_000, 5


@require_safe
@methods_view
def show(request: MethodsRequest) -> HttpResponse:
    """Show what is allowed and what it charges next, or offer it."""
    offered = request.settings.get(AUTOPAY_OFFERED)
    living = living_mandates(request.customer_id)
    if not living and not offered:
        raise Http404
    context = {
        "pages": make_pages(living, company_day(request.tenant, timezone.now())),
        "currency": request.tenant.currency,
        "may_change": offered,
        "may_add": offered and living and free_places(request.customer_id, living),
    }
    return render(request, "autopay/show.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@methods_view
@with_fresh_proof
def set_up(request: MethodsRequest) -> HttpResponse:
    """Ask for the place and the limits, then allow autopay within them."""
    if not request.settings.get(AUTOPAY_OFFERED):
        raise Http404
    living = living_mandates(request.customer_id)
    places = free_places(request.customer_id, living)
    if not places:
        return HttpResponseRedirect(reverse("autopay:show"), status=303)
    # Only who begins with one address has nothing to choose; what replaces permissions is named before it does.
    return _take_terms(request, None, places if living or len(places) > 1 else ())


@require_http_methods(["GET", "HEAD", "POST"])
@methods_view
@with_fresh_proof
def terms(request: MethodsRequest, mandate_id: UUID) -> HttpResponse:
    """Change the limits of what is allowed already: a new permission for the same place."""
    old = _living_or_404(request, mandate_id)
    if not request.settings.get(AUTOPAY_OFFERED):
        raise Http404
    return _take_terms(request, old, ())


def _take_terms(request: MethodsRequest, old: AutopayMandate | None, places: Sequence[Location | None]) -> HttpResponse:
    tenant = request.tenant
    today = company_day(tenant, timezone.now())
    offered = ways.find_offered(request.customer_id, rules_of(request.settings), tenant.currency, today)
    if not offered:
        messages.info(request, _("Put a card or bank account on file first, then turn on autopay."))
        return HttpResponseRedirect(reverse("methods:add"), status=303)
    data = request.POST if request.method == "POST" else None
    initial = _initial(old, next(iter(offered)), places)
    form = TermsForm(offered.values(), tenant.currency, tenant.display_name, data, initial, places)
    if data is None or not form.is_valid():
        return _show_form(request, form, old, 200 if data is None else 422)
    try:
        made = turning_on.authorise(
            context=request.context,
            customer_id=request.customer_id,
            portal_user_id=request.viewer.user.pk,
            terms=form.terms(old.location_id if old else None),
            consent=consent_to(tenant.display_name),
            by=actor_of(request),
            now=timezone.now(),
        )
    except errors.UnusableMethod:
        form.add_error("method", _("This card or account is not on file any more."))
        return _show_form(request, form, old, 422)
    except (errors.UnknownPlace, errors.CoversAll):
        messages.error(request, _("What autopay covers has changed meanwhile. Look at it, then choose again."))
        return HttpResponseRedirect(reverse("autopay:show"), status=303)
    if made.state == AutopayMandate.State.ACTIVE:
        messages.success(request, _("Autopay is on. You are told before each charge."))
    else:
        messages.info(request, _("Your limits are changed. Our office paused autopay, so nothing is charged yet."))
    return HttpResponseRedirect(reverse("autopay:show"), status=303)


def _initial(old: AutopayMandate | None, first: UUID, places: Sequence[Location | None]) -> dict[str, object]:
    if old is None:
        place = places[0] if places else None
        return {
            "place": str(place.pk) if place else EVERYWHERE,
            "method": str(first),
            "cap": DEFAULT_CAP_CENTS,
            "notice": DEFAULT_NOTICE,
        }
    return {
        "method": str(old.method_id),
        "fallback": str(old.fallback_id or ""),
        "cap": old.cap_cents,
        "month_cap": old.month_cap_cents,
        "notice": old.notice_days,
    }


def _show_form(request: MethodsRequest, form: TermsForm, old: AutopayMandate | None, status: int) -> HttpResponse:
    place = place_words(old.location) if old and old.location_id else ""
    return render(
        request, "autopay/set_up.html", {"form": form, "is_change": old is not None, "place": place}, status=status
    )


def _living_or_404(request: MethodsRequest, mandate_id: UUID) -> AutopayMandate:
    found = next((each for each in living_mandates(request.customer_id) if each.pk == mandate_id), None)
    if found is None:
        raise Http404
    return found


@require_POST
@methods_view
def change(request: MethodsRequest, mandate_id: UUID) -> HttpResponse:
    """Pause, turn on again, or end autopay."""
    wanted = request.POST.get("do", "")
    resume = partial(turning_on.resume, context=request.context)
    services: dict[str, Callable[..., AutopayMandate]] = {
        "pause": mandates.pause,
        "resume": resume,
        "revoke": mandates.revoke,
    }
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
        services[wanted](
            customer_id=request.customer_id, mandate_id=mandate_id, by=actor_of(request), now=timezone.now()
        )
    except errors.UnknownMandate:
        raise Http404 from None
    except errors.HeldByOffice:
        messages.error(request, _("Our office paused autopay. Call us, and we look at it together."))
        return HttpResponseRedirect(reverse("autopay:show"), status=303)
    except errors.UnusableMethod:
        messages.error(request, _("This card or account can’t be used any more. Choose another one first."))
        return HttpResponseRedirect(reverse("autopay:terms", args=[mandate_id]), status=303)
    messages.success(request, words[wanted])
    return HttpResponseRedirect(reverse("autopay:show"), status=303)


@require_safe
@methods_view
def permission(request: MethodsRequest, mandate_id: UUID) -> HttpResponseBase:
    """Answer with what was allowed as a PDF file; also of a permission that is over."""
    rows = AutopayMandate.objects.filter(bill_to_id=request.customer_id).select_related("bill_to", "location")
    found = rows.filter(pk=mandate_id).first()
    if found is None:
        raise Http404
    return answer_permission(found, request.brand, request.tenant)


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
