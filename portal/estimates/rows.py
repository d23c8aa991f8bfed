"""An estimate as lists show it: what state it is in for its reader, from how much, until when (P-14, F-15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.estimates.models import Estimate, EstimateVersion
from portal.estimates.offer import read_offer
from portal.estimates.policy import payable_deposit
from portal.invoices.rows import Badge, address_of
from portal.ui.formats import format_weekday_date

State = Literal["draft", "open", "viewed", "revising", "approved", "declined", "expired", "canceled", "converted"]
ANSWERABLE: tuple[State, ...] = ("open", "viewed")
UNDECIDED: tuple[State, ...] = (*ANSWERABLE, "revising")
SOON = 14


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """One estimate of a list. `from_cents` is the least it costs, or what was approved."""

    id: UUID
    number: str
    title: str
    customer_id: UUID
    customer_name: str
    location: str
    state: State
    badge: Badge
    from_cents: int
    is_from: bool
    currency: str
    note: str
    deposit_due_cents: int
    deposit_pending_cents: int
    sent_at: datetime | None


def state_of(estimate: Estimate, today: date) -> State:
    """Return the state; that it expired or was viewed is derived. `today` is the company's day (EST-06)."""
    if estimate.status == Estimate.Status.SENT:
        if estimate.expires_on and estimate.expires_on < today:
            return "expired"
        return "viewed" if estimate.first_viewed_at else "open"
    found: dict[str, State] = {
        Estimate.Status.DRAFT: "draft",
        Estimate.Status.CHANGES_REQUESTED: "revising",
        Estimate.Status.APPROVED: "approved",
        Estimate.Status.DECLINED: "declined",
        Estimate.Status.CANCELED: "canceled",
        Estimate.Status.CONVERTED: "converted",
    }
    return found[estimate.status]


def make_rows(estimates: Iterable[Estimate], *, today: date, for_office: bool = False) -> tuple[EstimateRow, ...]:
    """Return the rows of estimates read with customer and location; one query for their versions."""
    found = list(estimates)
    shown = Q(n=F("estimate__current"))
    if for_office:
        shown |= Q(estimate__current=0)
    versions = EstimateVersion.objects.filter(shown, estimate__in=[each.pk for each in found])
    bodies = {version.estimate_id: version for version in versions}
    return tuple(_row(each, bodies.get(each.pk), today, for_office=for_office) for each in found)


def _row(estimate: Estimate, version: EstimateVersion | None, today: date, *, for_office: bool) -> EstimateRow:
    state = state_of(estimate, today)
    cents, is_from = estimate.total_cents, False
    if version and not estimate.option_key:
        offer = read_offer(version.body)
        totals = [offer.sums(option, option.preselected()).total_cents for option in offer.options]
        cents, is_from = min(totals, default=0), len(totals) > 1
    return EstimateRow(
        id=estimate.pk,
        number=estimate.number,
        title=estimate.title,
        customer_id=estimate.customer_id,
        customer_name=estimate.customer.name,
        location=address_of(estimate.location),
        state=state,
        badge=make_badge(estimate, state, today, for_office=for_office),
        from_cents=cents,
        is_from=is_from,
        currency=estimate.currency,
        note=_until(estimate, state, today),
        deposit_due_cents=payable_deposit(estimate),
        deposit_pending_cents=estimate.deposit_pending_cents + estimate.deposit_reserved_cents,
        sent_at=estimate.sent_at,
    )


def make_badge(estimate: Estimate, state: State, today: date, *, for_office: bool = False) -> Badge:
    """Return the state in words; a customer reads no name of ours for it."""
    day = format_weekday_date(estimate.decided_at, "day") if estimate.decided_at else ""
    if state in ANSWERABLE and not for_office:
        return Badge(_("Waits for your answer"), "brand")
    words: dict[State, Badge] = {
        "draft": Badge(_("Draft")),
        "open": Badge(_("Sent"), "info", "send"),
        "viewed": Badge(_("Viewed"), "info", "eye"),
        "revising": Badge(_("Changes wanted") if for_office else _("Being revised"), "warn", "refresh-cw"),
        "approved": Badge(_("Approved %(date)s") % {"date": day}, "ok", "check"),
        "converted": Badge(_("Invoiced") if for_office else _("Approved %(date)s") % {"date": day}, "ok", "check"),
        "declined": Badge(_("Declined %(date)s") % {"date": day}),
        "expired": Badge(_("Expired"), "", "clock"),
        "canceled": Badge(_("Canceled"), "", "ban"),
    }
    return words[state]


def _until(estimate: Estimate, state: State, today: date) -> str:
    """Return how long an open estimate stays open (P-14)."""
    if not estimate.expires_on or state not in ANSWERABLE:
        return ""
    days = (estimate.expires_on - today).days
    if days == 0:
        return _("Last day today")
    if days <= SOON:
        return ngettext("Expires in %(days)s day", "Expires in %(days)s days", days) % {"days": days}
    return _("Open until %(date)s") % {"date": format_weekday_date(estimate.expires_on)}
