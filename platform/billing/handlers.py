"""Letters to the owner about trial, bill and office; each finds out first whether it is still true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing.services.dunning import grace_of, hold_date
from portal.ui.formats import format_money, format_weekday_date
from portal.ui.own_mail import send
from tenants.models import ControlOutbox, Subscription, Tenant
from tenants.outbox import handles_control

Letter = dict[str, Any]


@handles_control("billing.mail")
def write_owner(event: ControlOutbox) -> None:
    """Send one letter, unless what it says is over meanwhile."""
    row = Subscription.objects.select_related("tenant__plan").get(pk=event.payload["subscription"])
    tenant = row.tenant
    if tenant.lifecycle != Tenant.Lifecycle.ACTIVE:
        return
    with translation.override(tenant.locale), timezone.override(tenant.time_zone):
        letter = LETTERS[event.payload["letter"]](row, event.payload)
        if letter is None:
            return
        letter |= {
            "preheader": letter["paragraphs"][0],
            "subject": letter["heading"],
            "button_url": plan_url(tenant),
            "button_text": _("Open your plan"),
            "facts": [
                {"label": _("Company"), "value": tenant.display_name},
                {"label": _("Plan"), "value": f"{tenant.plan.name}, {price_words(tenant)}"},
            ],
            "reason": _("You get this mail because you own the account of %(company)s with Porchlight.")
            % {"company": tenant.display_name},
        }
    send(to=tenant.owner_email, template="email/base_email", key=event.key, locale=tenant.locale, context=letter)


def plan_url(tenant: Tenant) -> str:
    """Return the absolute address of the company's plan page."""
    path = reverse("billing:plan", urlconf="config.urls_tenant")
    return settings.ENV.url_for_host(f"{tenant.slug}.{settings.ENV.base_domain}", path)


def price_words(tenant: Tenant) -> str:
    """Return the price of the company's plan in the active language."""
    price = format_money(tenant.plan.price_cents, tenant.plan.currency)
    return _("%(price)s a month") % {"price": price}


def _trial(row: Subscription, payload: dict[str, Any]) -> Letter | None:
    if row.trial_ends_at.isoformat() != payload["ends"] or row.status not in ("", "trialing"):
        return None
    date = format_weekday_date(row.trial_ends_at, "full")
    if row.status == "trialing":
        todo = _("You don’t have to do anything: your card is charged on that day. You can change or cancel before.")
    else:
        todo = _("Choose a plan so that your office stays open. Your customers notice nothing either way.")
    return {"heading": _("Your trial ends on %(date)s") % {"date": date}, "paragraphs": [todo]}


def _owing(row: Subscription, payload: dict[str, Any]) -> Letter | None:
    if not _same_debt(row, payload) or row.held_at:
        return None
    pauses = hold_date(row, grace_of(row.tenant, timezone.now()))
    assert pauses
    if row.stripe_subscription_id and row.status not in ("canceled", "incomplete_expired"):
        heading = _("Your payment to Porchlight didn’t go through")
        todo = _("Open your plan to pay with another card.")
    else:
        heading = _("Your portal has no plan any more")
        todo = _("Open your plan to choose one.")
    if payload["number"] == 2:
        heading = _("Your office pauses on %(date)s") % {"date": format_weekday_date(pauses, "full")}
    warning = _("Without it your office pauses on %(date)s. Your customers can still see and pay their invoices.")
    return {"heading": heading, "paragraphs": [todo, warning % {"date": format_weekday_date(pauses, "full")}]}


def _held(row: Subscription, payload: dict[str, Any]) -> Letter | None:
    if not _same_debt(row, payload):
        return None
    return {
        "heading": _("Your office is paused"),
        "paragraphs": [
            _("The bill for your plan is still open. Pay it and the office opens again at once."),
            _("Nothing is deleted. Your customers can still see and pay their invoices."),
        ],
    }


def _reopened(row: Subscription, payload: dict[str, Any]) -> Letter | None:
    if row.owing_since:
        return None
    return {
        "heading": _("Your office is open again"),
        "paragraphs": [_("Thank you. Everything is where you left it.")],
    }


def _same_debt(row: Subscription, payload: dict[str, Any]) -> bool:
    return row.owing_since is not None and row.owing_since == datetime.fromisoformat(payload["since"])


LETTERS: dict[str, Callable[[Subscription, dict[str, Any]], Letter | None]] = {
    "trial": _trial,
    "owing": _owing,
    "held": _held,
    "reopened": _reopened,
}
