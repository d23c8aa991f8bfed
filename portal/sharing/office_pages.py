"""What the office sees of the links to an invoice or estimate, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from portal.estimates.models import Estimate
from portal.invoices.models import Invoice
from portal.invoices.rows import Badge
from portal.sharing.models import ShareLink
from portal.ui.formats import format_weekday_date

SHOWN = 50


@dataclass(frozen=True, slots=True)
class LinkLine:
    """One link of the list."""

    id: UUID
    whither: str
    made: str
    badge: Badge
    until: str
    opened: int
    last_opened_at: datetime | None
    is_live: bool


def link_lines(invoice: Invoice, now: datetime) -> list[LinkLine]:
    """Return the links of an invoice, the newest first."""
    return _lines(ShareLink.objects.filter(invoice=invoice), now)


def estimate_link_lines(estimate: Estimate, now: datetime) -> list[LinkLine]:
    """Return the links of an estimate, the newest first."""
    return _lines(ShareLink.objects.filter(estimate=estimate), now)


def _lines(rows: QuerySet[ShareLink], now: datetime) -> list[LinkLine]:
    return [_line(row, now) for row in rows.order_by("-created_at", "-id")[:SHOWN]]


def _line(row: ShareLink, now: datetime) -> LinkLine:
    is_live = row.revoked_at is None and (row.expires_at is None or row.expires_at > now)
    made = format_weekday_date(row.created_at, "year")
    return LinkLine(
        id=row.pk,
        whither=row.recipient or _("Copied"),
        made=_("%(date)s by %(name)s") % {"date": made, "name": row.created_by_name} if row.created_by_name else made,
        badge=_badge(row, is_live),
        until=format_weekday_date(row.expires_at, "year") if row.expires_at else _("without end"),
        opened=row.opened_count,
        last_opened_at=row.last_opened_at,
        is_live=is_live,
    )


def _badge(row: ShareLink, is_live: bool) -> Badge:
    if is_live:
        return Badge(_("Opened"), "ok", "check") if row.opened_count else Badge(_("Works"), "info", "")
    return Badge(_("Revoked"), "", "ban") if row.revoked_at else Badge(_("Ended"), "", "clock")
