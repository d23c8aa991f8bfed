"""The pages on which an estimate is read and answered, for whoever sits at the desk (SHARE-12, EST-02, EST-03)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.estimates import errors
from portal.estimates.desks import Desk
from portal.estimates.pages import EstimatePage, OptionCard, estimate_page
from portal.estimates.pdf import pdf_name, render_estimate_pdf
from portal.estimates.services.deciding import Approval, answer_estimate, approve_estimate, ask_again
from portal.estimates.services.sending import mark_viewed
from portal.invoices.selectors import can_charge, company_day, other_ways_to_pay
from portal.ui.context import TenantRequest
from portal.ui.paper import hand_out

CONSENT = gettext_lazy(
    "I have read this estimate and approve it. My typed name is my signature, and I agree to sign electronically."
)


class SignForm(forms.Form):
    """Name and consent; the rest is only compared."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    option = forms.CharField(widget=forms.HiddenInput, max_length=8)
    seen_total = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(
        label=gettext_lazy("Your full name"),
        max_length=120,
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages={"required": gettext_lazy("Type your name to sign.")},
    )
    consent = forms.BooleanField(label=CONSENT, error_messages={"required": gettext_lazy("Tick this to sign.")})


class AnswerForm(forms.Form):
    """What is wrong with the estimate, or why it is declined."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, kind: str, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["reason"]
        field.required = kind == "request_changes"
        field.label = _("What should be different?") if field.required else _("Why not?")
        field.error_messages["required"] = _("Say in a few words what should change.")


def show(request: TenantRequest, desk: Desk) -> HttpResponse:
    """Show the estimate; the first look is noted."""
    if request.method == "GET":
        mark_viewed(estimate=desk.estimate, by=desk.who.by, now=timezone.now())
    today = company_day(request.tenant, timezone.now())
    version = request.GET.get("version", "")
    page = estimate_page(
        desk.estimate, today=today, version=int(version) if version in _older(desk) else 0, **_picked(request)
    )
    return render(request, "estimates/detail.html", _context(request, desk, page))


def _older(desk: Desk) -> frozenset[str]:
    """Return the versions that can be read beside the present one; not by a link (datamodel.md 6.3)."""
    if desk.who.portal_user_id is None:
        return frozenset()
    return frozenset(str(n) for n in range(1, desk.estimate.current))


def _picked(request: HttpRequest) -> dict[str, Any]:
    """Return what stands in the address of what was picked."""
    option = request.GET.get("option", "")[:8]
    return {"chosen": option, "lines": request.GET.getlist("line")[:50]} if option else {}


def _context(request: TenantRequest, desk: Desk, page: EstimatePage) -> dict[str, Any]:
    pays = can_charge(request.tenant)
    return {
        "page": page,
        "desk": desk,
        "estimate": page.row,
        "can_pay": pays,
        "how_to_pay": "" if pays or not page.deposit_due_cents else other_ways_to_pay(),
    }


def approve(request: TenantRequest, desk: Desk) -> HttpResponse:
    """Show what is signed, or sign it; then on to the deposit when there is one."""
    if request.method == "POST":
        return _sign(request, desk)
    page = estimate_page(desk.estimate, today=company_day(request.tenant, timezone.now()), **_picked(request))
    if not page.is_open:
        return _away(desk)
    if request.GET.get("v", str(page.version)) != str(page.version):
        messages.error(request, refusal_words(errors.NewerVersion(), request))
        return _away(desk)
    picked = _chosen(page)
    first = {"version": page.version, "option": picked.key, "seen_total": picked.sums.total_cents, "name": desk.name}
    return _show_signing(request, desk, page, SignForm(initial=first))


def _sign(request: TenantRequest, desk: Desk) -> HttpResponse:
    now = timezone.now()
    today = company_day(request.tenant, now)
    form, lines = SignForm(request.POST), tuple(request.POST.getlist("line")[:50])
    if not form.is_valid():
        page = estimate_page(desk.estimate, today=today, chosen=request.POST.get("option", "")[:8], lines=lines)
        return _show_signing(request, desk, page, form, 422) if page.is_open else _away(desk)
    given = form.cleaned_data
    approval = Approval(
        version=given["version"],
        option=given["option"],
        lines=lines,
        seen_total_cents=given["seen_total"],
        name=given["name"],
        consents=given["consent"],
        consent_text=str(CONSENT),
    )
    try:
        estimate = approve_estimate(estimate_id=desk.estimate.pk, approval=approval, who=desk.who, today=today, now=now)
    except errors.EstimateRefused as error:
        messages.error(request, refusal_words(error, request))
        return _away(desk)
    messages.success(request, _("Approved. Thank you – a signed copy is on its way to your mail."))
    pays = estimate.deposit_cents and can_charge(request.tenant)
    return HttpResponseRedirect(desk.pay_url if pays else desk.page_url, status=303)


def _chosen(page: EstimatePage) -> OptionCard:
    return next(card for card in page.options if card.chosen)


def _show_signing(
    request: TenantRequest, desk: Desk, page: EstimatePage, form: SignForm, status: int = 200
) -> HttpResponse:
    picked = _chosen(page)
    context = _context(request, desk, page) | {
        "form": form,
        "option": picked,
        "extras": [extra for extra in picked.extras if extra.chosen],
    }
    return render(request, "estimates/approve.html", context, status=status)


def answer(request: TenantRequest, desk: Desk) -> HttpResponse:
    """Ask why, then decline; or ask what should change, and tell the office."""
    now = timezone.now()
    today = company_day(request.tenant, now)
    asked = request.POST if request.method == "POST" else request.GET
    kind = "request_changes" if asked.get("kind") == "request_changes" else "decline"
    page = estimate_page(desk.estimate, today=today)
    if not page.is_open and request.method != "POST":
        return _away(desk)
    form = AnswerForm(kind, request.POST if request.method == "POST" else None, initial={"version": page.version})
    if not form.is_bound or not form.is_valid():
        context = _context(request, desk, page) | {"form": form, "kind": kind}
        return render(request, "estimates/answer.html", context, status=422 if form.is_bound else 200)
    try:
        answer_estimate(
            estimate_id=desk.estimate.pk,
            kind=kind,
            version=form.cleaned_data["version"],
            reason=form.cleaned_data["reason"],
            name=desk.name,
            who=desk.who,
            today=today,
            now=now,
        )
    except errors.EstimateRefused as error:
        messages.error(request, refusal_words(error, request))
    else:
        name = {"name": request.brand.short_name}
        done = _("%(name)s knows that you declined.") if kind == "decline" else _("%(name)s knows what should change.")
        messages.success(request, done % name)
    return _away(desk)


def again(request: TenantRequest, desk: Desk) -> HttpResponse:
    """Tell the office that an expired estimate is wanted anew."""
    now = timezone.now()
    try:
        ask_again(estimate=desk.estimate, who=desk.who, today=company_day(request.tenant, now), now=now)
    except errors.TooOften:
        messages.success(request, _("%(name)s knows already.") % {"name": request.brand.short_name})
    except errors.EstimateRefused:
        return _away(desk)
    else:
        messages.success(request, _("%(name)s knows that you want a new one.") % {"name": request.brand.short_name})
    return _away(desk)


def download(request: TenantRequest, desk: Desk) -> HttpResponse:
    """Answer with the estimate as a PDF file; signed, it says so."""
    page = estimate_page(desk.estimate, today=company_day(request.tenant, timezone.now()))
    return hand_out(render_estimate_pdf(page, request.brand), pdf_name(page))


def refusal_words(error: errors.EstimateRefused, request: TenantRequest) -> str:
    """Return why nothing was changed."""
    name = {"name": request.brand.short_name}
    if isinstance(error, errors.NewerVersion):
        return _("%(name)s sent a newer version. Here it is; look at it before you sign.") % name
    if isinstance(error, errors.HasExpired):
        return _("This estimate has expired. You can ask for a new one.")
    if isinstance(error, errors.BeingRevised):
        return _("%(name)s is revising this estimate. It can’t be approved right now.") % name
    if isinstance(error, errors.AlreadyDecided):
        return _("This estimate was answered in the meantime.")
    return _("The price of your choice changed. Please look at it again.")


def _away(desk: Desk) -> HttpResponse:
    """Lead back to the estimate."""
    return HttpResponseRedirect(desk.page_url, status=303)
