"""What the page of autopay shows, as frozen values (P-12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext as _

from portal.invoices.methods import method_words
from portal.invoices.rows import Badge
from portal.payments.models import AutopayCharge, AutopayMandate

Charge, State = AutopayCharge.State, AutopayMandate.State


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """One invoice under autopay."""

    id: UUID
    invoice_id: UUID
    number: str
    cents: int
    currency: str
    planned_on: date
    badge: Badge
    may_skip: bool
    pays_by_hand: bool


@dataclass(frozen=True, slots=True)
class AutopayPage:
    """Autopay of one customer as they see it."""

    is_active: bool
    because: str
    method: str
    fallback: str
    cap_cents: int
    notice_days: int
    since: datetime
    charges: tuple[ChargeRow, ...]


def live_mandate(customer_id: UUID) -> AutopayMandate | None:
    """Return the customer's autopay, unless it is over."""
    rows = AutopayMandate.objects.filter(bill_to_id=customer_id, state__in=AutopayMandate.LIVE)
    return rows.select_related("method", "fallback").first()


def make_page(mandate: AutopayMandate, today: date) -> AutopayPage:
    """Return the page of autopay that is on or paused."""
    reasons: dict[str, str] = {
        "customer": _("You paused it. Nothing is charged."),
        "failed": _("It was paused after two charges failed. Check the card or account, then turn it on again."),
        "method": _("It was paused because the card or account can’t be used any more. Choose another one."),
    }
    charges = mandate.charges.select_related("invoice").exclude(state__in=[Charge.CHARGED, Charge.PAID_OTHERWISE])
    return AutopayPage(
        is_active=mandate.state == State.ACTIVE,
        because=reasons.get(mandate.paused_because, ""),
        method=method_words(mandate.method.shown),
        fallback=method_words(mandate.fallback.shown) if mandate.fallback else "",
        cap_cents=mandate.cap_cents,
        notice_days=mandate.notice_days,
        since=mandate.authorised_at,
        charges=tuple(_row(charge, today) for charge in charges.order_by("planned_on", "id")),
    )


def _row(charge: AutopayCharge, today: date) -> ChargeRow:
    badges = {
        Charge.ANNOUNCED: Badge(_("Planned"), "", "calendar"),
        Charge.CHARGING: Badge(_("On its way"), "", "clock"),
        Charge.SKIPPED: Badge(_("Skipped"), "", "ban"),
        Charge.OVER_CAP: Badge(_("Above your limit"), "warn", "triangle-alert"),
        Charge.NEEDS_CUSTOMER: Badge(_("Your bank asks for you"), "warn", "lock"),
        Charge.HANDED_OVER: Badge(_("Failed"), "bad", "circle-alert"),
    }
    retrying = charge.state == Charge.ANNOUNCED and charge.tries > 0
    badge = (
        Badge(_("Failed once, tried again soon"), "warn", "rotate-ccw") if retrying else badges[Charge(charge.state)]
    )
    return ChargeRow(
        id=charge.pk,
        invoice_id=charge.invoice_id,
        number=charge.invoice.number,
        cents=charge.amount_cents,
        currency=charge.invoice.currency,
        planned_on=charge.planned_on,
        badge=badge,
        may_skip=charge.state == Charge.ANNOUNCED and not charge.tries and charge.planned_on > today,
        pays_by_hand=charge.state not in AutopayCharge.OPEN,
    )
