"""The office's page on ways to pay and on what customers may keep on file (PAY-02…04, CARD-06…09)."""

from __future__ import annotations

from typing import Any

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
from tenants.config.registry import (
    AUTOPAY_OFFERED,
    CARD_CHANGES,
    CARDS_ALLOW_ADD,
    CARDS_ALLOW_DELETE,
    CARDS_EXPIRY_NOTICE,
    METHODS_SECTION,
    PAY_METHODS,
)
from tenants.config.snapshot import Snapshot


class MethodRulesForm(forms.Form):
    """How customers pay, and what they may do about cards and accounts on file."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    methods = forms.MultipleChoiceField(
        label=gettext_lazy("Ways to pay"),
        choices=(
            ("card", gettext_lazy("Card, Apple Pay, Google Pay")),
            ("ach", gettext_lazy("Bank account (US), clears in a few days")),
        ),
        widget=forms.CheckboxSelectMultiple,
    )
    keeps = forms.BooleanField(
        label=gettext_lazy("Cards and bank accounts on file"),
        help_text=gettext_lazy("Customers see what is on file and pay with it in one tap."),
        required=False,
    )
    may_add = forms.BooleanField(label=gettext_lazy("Customers may add and replace them"), required=False)
    may_remove = forms.BooleanField(label=gettext_lazy("Customers may remove them"), required=False)
    warns = forms.BooleanField(
        label=gettext_lazy("Mail customers 30 and 7 days before a card on file expires"), required=False
    )
    autopay = forms.BooleanField(
        label=gettext_lazy("Autopay"),
        help_text=gettext_lazy("Customers may have invoices charged when they are due, within limits they set."),
        required=False,
    )
    told = forms.CharField(
        label=gettext_lazy("Who is told of changes"),
        help_text=gettext_lazy("E-mail addresses with commas between them. Empty: all who manage invoices."),
        max_length=500,
        required=False,
    )

    def clean_told(self) -> str:
        """Return the addresses as they are kept."""
        try:
            return CARD_CHANGES.check(self.cleaned_data["told"])
        except ValueError as error:
            raise forms.ValidationError(error.args[0]) from error

    def values(self) -> dict[str, Any]:
        """Return what is to be stored, by the name of the setting."""
        given = self.cleaned_data
        return {
            PAY_METHODS.name: given["methods"],
            METHODS_SECTION.name: "show" if given["keeps"] else "hide",
            CARDS_ALLOW_ADD.name: given["may_add"],
            CARDS_ALLOW_DELETE.name: given["may_remove"],
            CARDS_EXPIRY_NOTICE.name: given["warns"],
            AUTOPAY_OFFERED.name: given["autopay"],
            CARD_CHANGES.name: given["told"],
        }

    @staticmethod
    def initial_of(settings: Snapshot, version: int) -> dict[str, object]:
        """Return what the form shows at first."""
        return {
            "version": version,
            "methods": settings.get(PAY_METHODS),
            "keeps": settings.get(METHODS_SECTION) == "show",
            "may_add": settings.get(CARDS_ALLOW_ADD),
            "may_remove": settings.get(CARDS_ALLOW_DELETE),
            "warns": settings.get(CARDS_EXPIRY_NOTICE),
            "autopay": settings.get(AUTOPAY_OFFERED),
            "told": settings.get(CARD_CHANGES),
        }


# Owner settings live in the control plane: no transaction may reach both halves (Decided 16, 21).
@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.VIEW_SETTINGS)
def method_rules(request: StaffRequest) -> HttpResponse:
    """Show and change how customers pay and what they keep on file."""
    may_change = may(request.staff, Permission.CHANGE_SETTINGS)
    if request.method != "POST":
        initial = MethodRulesForm.initial_of(request.settings, request.tenant.config_version)
        return _show(request, MethodRulesForm(initial=initial), may_change)
    if not may_change:
        return forbidden(request)
    form = MethodRulesForm(request.POST)
    if not form.is_valid():
        return _show(request, form, may_change, status=422)
    return keep_decision(
        request, form.values(), version=form.cleaned_data["version"], back=reverse("office:payments_methods")
    )


def _show(request: StaffRequest, form: MethodRulesForm, may_change: bool, *, status: int = 200) -> HttpResponse:
    return render(request, "methods/office_rules.html", {"form": form, "may_change": may_change}, status=status)
