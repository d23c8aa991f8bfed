"""The office's page on how long links open, and whether they close with the portal (C-19)."""

from __future__ import annotations

from django import forms
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from portal.accounts.owner_settings import keep_decision
from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.ui.errors import forbidden
from tenants.config.registry import SHARE_ESTIMATE_DAYS, SHARE_FOLLOWS_PORTAL, SHARE_INVOICE_DAYS


class LinkRulesForm(forms.Form):
    """What holds for every link from now on."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    days = forms.IntegerField(
        label=gettext_lazy("Days for which a link to an invoice works"),
        help_text=gettext_lazy("From 1 to 365; 0 means without end. Links that are out keep their date."),
        min_value=0,
        max_value=365,
    )
    estimate_days = forms.IntegerField(
        label=gettext_lazy("Days for which a link to an estimate works"),
        help_text=gettext_lazy("From 1 to 365; 0 means without end. Links that are out keep their date."),
        min_value=0,
        max_value=365,
    )
    follow = forms.BooleanField(
        label=gettext_lazy("Links stop while the portal is off"),
        help_text=gettext_lazy("Otherwise an invoice can be seen and paid by its link although nobody can sign in."),
        required=False,
    )


# Owner settings live in the control plane: no transaction may reach both halves (Decided 16, 21).
@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.VIEW_SETTINGS)
def rules(request: StaffRequest) -> HttpResponse:
    """Show and change what holds for links."""
    may_change = may(request.staff, Permission.CHANGE_SETTINGS)
    if request.method != "POST":
        return _show(request, LinkRulesForm(initial=_now(request)), may_change)
    if not may_change:
        return forbidden(request)
    form = LinkRulesForm(request.POST)
    if not form.is_valid():
        return _show(request, form, may_change, status=422)
    return keep_decision(
        request,
        {
            SHARE_INVOICE_DAYS.name: form.cleaned_data["days"],
            SHARE_ESTIMATE_DAYS.name: form.cleaned_data["estimate_days"],
            SHARE_FOLLOWS_PORTAL.name: form.cleaned_data["follow"],
        },
        version=form.cleaned_data["version"],
        back=reverse("office:settings_links"),
    )


def _now(request: StaffRequest) -> dict[str, object]:
    return {
        "version": request.tenant.config_version,
        "days": request.settings.get(SHARE_INVOICE_DAYS),
        "estimate_days": request.settings.get(SHARE_ESTIMATE_DAYS),
        "follow": request.settings.get(SHARE_FOLLOWS_PORTAL),
    }


def _show(request: StaffRequest, form: LinkRulesForm, may_change: bool, *, status: int = 200) -> HttpResponse:
    return render(request, "sharing/office_rules.html", {"form": form, "may_change": may_change}, status=status)
