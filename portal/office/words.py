"""How the office says what it knows: states as badges, moments in passing, audit rows as sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access.models import PortalAccess
from portal.invoices.rows import Badge
from portal.ui.formats import format_clock, format_weekday_date
from tenants.schema.models import AuditEvent

Status = PortalAccess.Status


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a timeline."""

    text: str
    note: str
    end: str
    icon: str


def say_moment(value: datetime | None, today: date) -> str:
    """Return a moment as one says it: Today, 7:58 am; Yesterday; 3 Nov; 3 Nov 2024."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    days = (today - local.date()).days
    if days == 0:
        return _("Today, %(time)s") % {"time": format_clock(value)}
    if days == 1:
        return _("Yesterday")
    return format_weekday_date(value, "day" if local.year == today.year else "year")


def say_moment_inside(value: datetime, today: date) -> str:
    """Return a moment as it stands in the middle of a sentence: today, 7:58 am; yesterday; 3 Nov."""
    local = timezone.localtime(value)
    if local.date() == today:
        return _("today, %(time)s") % {"time": format_clock(value)}
    return _("yesterday") if (today - local.date()).days == 1 else say_moment(value, today)


def access_badge(status: str, invited_at: datetime | None) -> Badge | None:
    """Return how the office shows a portal access; none at all for somebody who was never invited (ENR-05)."""
    if status == Status.ACTIVE:
        return Badge(_("Active"), "ok", "circle-check")
    if status == Status.INVITED:
        day = format_weekday_date(invited_at, "day") if invited_at else ""
        return Badge(_("Invited %(day)s") % {"day": day}, "info", "mail")
    if status == Status.REQUESTED:
        return Badge(_("Asked for access"), "warn", "inbox")
    if status == Status.SUSPENDED:
        return Badge(_("Suspended"), "warn", "pause")
    if status == Status.REVOKED:
        return Badge(_("Revoked"), "", "ban")
    return None


_EVENTS: dict[str, tuple[Any, str]] = {
    "portal_access.invited": (gettext_lazy("Invited to the portal"), "mail"),
    "portal_access.suspended": (gettext_lazy("Access suspended"), "pause"),
    "portal_access.lifted": (gettext_lazy("Access given back"), "circle-check"),
    "portal_access.revoked": (gettext_lazy("Access revoked"), "ban"),
    "portal_access.memo": (gettext_lazy("Memo changed"), "pencil"),
    "portal_access.level": (gettext_lazy("Level changed"), "shield-check"),
    "portal_access.activated": (gettext_lazy("Signed in for the first time"), "key-round"),
    "portal_access.matched": (gettext_lazy("Signed in with an address on record"), "key-round"),
    "customer.email_added": (gettext_lazy("E-mail address added"), "mail"),
    "customer.created": (gettext_lazy("Customer created"), "users"),
    "customer.updated": (gettext_lazy("Customer changed"), "pencil"),
}


def say_event(event: AuditEvent, today: date) -> Happening:
    """Return an audit row as a line of the customer's activity."""
    text, icon = _EVENTS.get(event.action, (event.action.replace("_", " ").replace(".", ": "), "info"))
    after = event.after if isinstance(event.after, dict) else {}
    detail = str(after.get("email", "")) or level_name(str(after.get("level", "")))
    note = " · ".join(part for part in (detail, event.actor_label) if part)
    return Happening(str(text), note, say_moment(event.at, today), icon)


def level_name(level: str) -> str:
    """Return an access level as people call it (VIS-12)."""
    if level == PortalAccess.Level.BILLING:
        return _("Billing")
    return _("No billing") if level == PortalAccess.Level.NON_BILLING else ""
