"""The office's page on what customers may pay at once: parts, the smallest part, several invoices (C-10, C-11)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from portal.accounts.owner_settings import keep_decision
from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.ui.errors import forbidden
from portal.ui.money_field import MoneyField
from tenants.config.registry import (
    PAY_MULTI,
    PAY_PARTIAL,
    PAY_PARTIAL_MIN,
    REFUND_SECOND_PERSON,
    REFUND_SECOND_PERSON_ABOVE,
)

LEAST_CENTS, MOST_CENTS = 50, 10_000_000


class RulesForm(forms.Form):
    """What the company lets its customers pay."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    partial = forms.ChoiceField(
        label=gettext_lazy("Paying a part"),
        choices=(
            ("off", gettext_lazy("Never – only whole invoices")),
            ("single_invoice", gettext_lazy("Of one invoice")),
            ("any", gettext_lazy("Of one invoice or of several, the oldest first")),
        ),
        widget=forms.RadioSelect,
    )
    several = forms.BooleanField(
        label=gettext_lazy("Several invoices in one payment"),
        help_text=gettext_lazy("Customers tick invoices or pay the whole balance."),
        required=False,
    )

    second = forms.BooleanField(
        label=gettext_lazy("Large refunds need a second person"),
        help_text=gettext_lazy("One asks, another one of the office approves."),
        required=False,
    )

    def __init__(self, currency: str, data: Any = None, initial: dict[str, object] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["minimum"] = MoneyField(
            currency=currency,
            low=LEAST_CENTS,
            high=MOST_CENTS,
            label=_("Smallest part"),
            help_text=_("The rest of an invoice can always be paid, however small."),
        )
        self.fields["second_above"] = MoneyField(
            currency=currency,
            high=MOST_CENTS,
            required=False,
            label=_("One person alone refunds up to"),
            help_text=_("Of one payment, all refunds together. What is above needs the second person."),
        )
        self.order_fields(["partial", "minimum", "several", "second", "second_above"])


# Owner settings live in the control plane: no transaction may reach both halves (Decided 16, 21).
@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.VIEW_SETTINGS)
def rules(request: StaffRequest) -> HttpResponse:
    """Show and change what customers may pay at once."""
    may_change = may(request.staff, Permission.CHANGE_SETTINGS)
    if request.method != "POST":
        return _show(request, RulesForm(request.tenant.currency, initial=_now(request)), may_change)
    if not may_change:
        return forbidden(request)
    form = RulesForm(request.tenant.currency, request.POST)
    if not form.is_valid():
        return _show(request, form, may_change, status=422)
    values = {
        PAY_PARTIAL.name: form.cleaned_data["partial"],
        PAY_PARTIAL_MIN.name: form.cleaned_data["minimum"],
        PAY_MULTI.name: form.cleaned_data["several"],
        REFUND_SECOND_PERSON.name: form.cleaned_data["second"],
    }
    if form.cleaned_data["second_above"] is not None:
        values[REFUND_SECOND_PERSON_ABOVE.name] = form.cleaned_data["second_above"]
    return keep_decision(request, values, version=form.cleaned_data["version"], back=reverse("office:payments_rules"))


def _now(request: StaffRequest) -> dict[str, object]:
    return {
        "version": request.tenant.config_version,
        "partial": request.settings.get(PAY_PARTIAL),
        "minimum": request.settings.get(PAY_PARTIAL_MIN),
        "several": request.settings.get(PAY_MULTI),
        "second": request.settings.get(REFUND_SECOND_PERSON),
        "second_above": request.settings.get(REFUND_SECOND_PERSON_ABOVE),
    }


def _show(request: StaffRequest, form: RulesForm, may_change: bool, *, status: int = 200) -> HttpResponse:
    return render(request, "payments/office_rules.html", {"form": form, "may_change": may_change}, status=status)
