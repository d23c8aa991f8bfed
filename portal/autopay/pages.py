"""What the customer's page of autopay shows, as frozen values (P-12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext as _

from portal.autopay.agreement import place_words
from portal.customers.models import Location
from portal.invoices.methods import method_words
from portal.invoices.rows import Badge
from portal.payments.models import AutopayCharge, AutopayMandate

Charge, State, Pause = AutopayCharge.State, AutopayMandate.State, AutopayMandate.Pause


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
    """One permission of a customer as they see it; `place` is empty where it covers everything."""

    id: UUID
    place: str
    is_active: bool
    is_held: bool
    because: str
    method: str
    fallback: str
    cap_cents: int
    month_cap_cents: int | None
    notice_days: int
    since: datetime
    charges: tuple[ChargeRow, ...]


def living_mandates(customer_id: UUID) -> list[AutopayMandate]:
    """Return the customer's permissions that are not over, oldest first."""
    rows = AutopayMandate.objects.filter(bill_to_id=customer_id, state__in=AutopayMandate.LIVE)
    return list(rows.select_related("method", "fallback", "location").order_by("id"))


def free_places(customer_id: UUID, living: Iterable[AutopayMandate]) -> list[Location | None]:
    """Return what a new permission may cover, the likeliest first: everything, or an address that has none yet.

    A customer with one address has no choice to make. Everything takes the place of what single addresses have.
    """
    taken = {mandate.location_id for mandate in living}
    if None in taken:
        return []
    rows = Location.objects.filter(customer_id=customer_id, is_active=True).exclude(pk__in=[pk for pk in taken if pk])
    places: list[Location | None] = [*rows.order_by("created_at", "id")]
    if taken:
        return [*places, None]
    return [None, *places] if len(places) > 1 else [None]


def make_pages(mandates: Iterable[AutopayMandate], today: date) -> tuple[AutopayPage, ...]:
    """Return the page's permissions; two queries however many there are."""
    living = list(mandates)
    charges = AutopayCharge.objects.filter(mandate__in=living).exclude(
        state__in=[Charge.CHARGED, Charge.PAID_OTHERWISE]
    )
    rows: dict[UUID, list[ChargeRow]] = {mandate.pk: [] for mandate in living}
    for charge in charges.select_related("invoice").order_by("planned_on", "id"):
        rows[charge.mandate_id].append(_row(charge, today))
    return tuple(_make_page(mandate, tuple(rows[mandate.pk])) for mandate in living)


def _make_page(mandate: AutopayMandate, charges: tuple[ChargeRow, ...]) -> AutopayPage:
    reasons: dict[str, str] = {
        Pause.CUSTOMER: _("You paused it. Nothing is charged."),
        Pause.FAILED: _("It was paused after two charges failed. Check the card or account, then turn it on again."),
        Pause.METHOD: _("It was paused because the card or account can’t be used any more. Choose another one."),
        Pause.OFFICE: _("Our office paused it. Nothing is charged. Call us if you have questions."),
    }
    return AutopayPage(
        id=mandate.pk,
        place=place_words(mandate.location) if mandate.location_id else "",
        is_active=mandate.state == State.ACTIVE,
        is_held=mandate.paused_because == Pause.OFFICE,
        because=reasons.get(mandate.paused_because, ""),
        method=method_words(mandate.method.shown),
        fallback=method_words(mandate.fallback.shown) if mandate.fallback else "",
        cap_cents=mandate.cap_cents,
        month_cap_cents=mandate.month_cap_cents,
        notice_days=mandate.notice_days,
        since=mandate.authorised_at,
        charges=charges,
    )


def _row(charge: AutopayCharge, today: date) -> ChargeRow:
    return ChargeRow(
        id=charge.pk,
        invoice_id=charge.invoice_id,
        number=charge.invoice.number,
        cents=charge.amount_cents,
        currency=charge.invoice.currency,
        planned_on=charge.planned_on,
        badge=charge_badge(charge),
        may_skip=charge.state == Charge.ANNOUNCED and not charge.tries and charge.planned_on > today,
        pays_by_hand=charge.state not in AutopayCharge.OPEN,
    )


def charge_badge(charge: AutopayCharge) -> Badge:
    """Return the state of a charge in a word, for the customer."""
    if charge.state == Charge.ANNOUNCED and charge.tries:
        return Badge(_("Failed once, tried again soon"), "warn", "rotate-ccw")
    badges = {
        Charge.ANNOUNCED: Badge(_("Planned"), "", "calendar"),
        Charge.CHARGING: Badge(_("On its way"), "", "clock"),
        Charge.SKIPPED: Badge(_("Skipped"), "", "ban"),
        Charge.OVER_CAP: Badge(_("Above your limit"), "warn", "triangle-alert"),
        Charge.NEEDS_CUSTOMER: Badge(_("Your bank asks for you"), "warn", "lock"),
        Charge.HANDED_OVER: Badge(_("Failed"), "bad", "circle-alert"),
    }
    return badges[Charge(charge.state)]
