"""The office's page on which a company connects itself with Stripe (F-28)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission
from portal.invoices.rows import Badge
from portal.payments.csp import with_onboarding
from portal.payments.services import onboarding
from tenants.models import PaymentAccount
from tenants.payment_accounts import AccountIsAnothers, read_payment_account

State = Literal["none", "started", "active", "restricted", "disconnected"]

# Stripe's names of what it still wants, in words; an unknown one is shown as Stripe spells it.
REQUIREMENTS = {
    "external_account": mark("Bank account for payouts"),
    "representative.first_name": mark("Name of the person who represents the company"),
    "business_profile.url": mark("Website or a description of the business"),
    "company.tax_id": mark("Tax number"),
    "tos_acceptance.date": mark("Agreement to Stripe’s terms"),
}


@dataclass(frozen=True, slots=True)
class PaymentSetup:
    """How far the company is with taking cards; `bank` where it wants bank debits, `asks_bank` until Stripe knows."""

    state: State
    account_id: str
    requirements: tuple[str, ...]
    is_test: bool
    bank: Badge | None = None
    asks_bank: bool = False


def make_setup(account: PaymentAccount | None, *, wants_bank: bool) -> PaymentSetup:
    """Return what the page shows of an account; `wants_bank` is the company's own setting."""
    if account is None:
        return PaymentSetup("none", "", (), is_test=False)
    wanted = tuple(_(REQUIREMENTS[name]) if name in REQUIREMENTS else name for name in account.requirements)
    state = _state_of(account)
    shows_bank = wants_bank and state != "disconnected"
    return PaymentSetup(
        state,
        account.account_id,
        wanted,
        is_test=not account.livemode,
        bank=_bank_badge(account.bank_payments) if shows_bank else None,
        asks_bank=shows_bank and not account.bank_payments,
    )


def _bank_badge(status: str) -> Badge:
    """Return whether bank debits work, in a word."""
    if status == "active":
        return Badge(_("On"), "ok", "circle-check")
    if status == "pending":
        return Badge(_("Stripe is checking"), "warn", "clock")
    if status:
        return Badge(_("Stripe needs something"), "warn", "triangle-alert")
    return Badge(_("Not asked for yet"), "", "pause")


def _state_of(account: PaymentAccount) -> State:
    if account.disconnected_at:
        return "disconnected"
    if account.card_payments == "active":
        return "active"
    return "restricted" if account.details_submitted else "started"


@transaction.non_atomic_requests
@require_GET
@with_onboarding
@staff_view(Permission.CONNECT_PAYMENTS)
def setup(request: StaffRequest) -> HttpResponse:
    """Show whether cards can be taken and what Stripe still wants."""
    wants_bank = onboarding.wants_bank(request.context)
    found = make_setup(read_payment_account(request.tenant.id), wants_bank=wants_bank)
    return render(request, "payments/setup.html", {"setup": found})


@transaction.non_atomic_requests
@require_POST
@staff_view(Permission.CONNECT_PAYMENTS)
def ask_for_bank(request: StaffRequest) -> HttpResponse:
    """Ask Stripe to let a company that is connected already take bank debits."""
    try:
        onboarding.ask_for_bank_payments(context=request.context, by=request.actor, now=timezone.now())
    except onboarding.StripeUnavailable:
        messages.error(request, _("Stripe didn’t answer. Nothing was lost; try again in a minute."))
    else:
        messages.success(request, _("Stripe was asked. This page shows when bank payments work."))
    return redirect("office:payments_setup")


@transaction.non_atomic_requests
@require_POST
@staff_view(Permission.CONNECT_PAYMENTS)
def connect(request: StaffRequest) -> HttpResponse:
    """Send the owner to Stripe's own form, for this company's own account (PAY-17)."""
    try:
        account_id = onboarding.connect_account(
            context=request.context, email=request.staff.email or "", by=request.actor, now=timezone.now()
        )
        url = onboarding.create_onboarding_link(
            account_id=account_id,
            return_url=request.tenant.url(reverse("office:payments_return")),
            refresh_url=request.tenant.url(reverse("office:payments_setup")),
        )
    except onboarding.StripeUnavailable:
        messages.error(request, _("Stripe didn’t answer. Nothing was lost; try again in a minute."))
        return redirect("office:payments_setup")
    except AccountIsAnothers:
        messages.error(request, _("This Stripe account belongs to another company. Please contact support."))
        return redirect("office:payments_setup")
    return HttpResponse(status=303, headers={"Location": url})


@transaction.non_atomic_requests
@require_GET
@staff_view(Permission.CONNECT_PAYMENTS)
def come_back(request: StaffRequest) -> HttpResponse:
    """Look at the account after Stripe's form; that somebody came back proves nothing."""
    account = read_payment_account(request.tenant.id)
    if account:
        try:
            onboarding.refresh_account(
                tenant_id=request.tenant.id, account_id=account.account_id, by=request.actor, now=timezone.now()
            )
        except onboarding.StripeUnavailable:
            messages.error(request, _("Stripe didn’t answer. This page is brought up to date later."))
    return redirect("office:payments_setup")
