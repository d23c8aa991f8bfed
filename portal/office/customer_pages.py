"""What the customer list and a customer's page show, made from what the database says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from portal.access.models import PortalAccess
from portal.customers.models import Customer, Location
from portal.customers.profile import PortalRow, Profile
from portal.customers.selectors import Counts, CustomerRow
from portal.invoices.models import Invoice
from portal.invoices.policy import HIDDEN_STATUSES, shown_for
from portal.invoices.rows import Badge, InvoiceRow, make_row
from portal.messaging.models import OutboundMessage
from portal.office.words import access_badge, level_name, say_moment, say_moment_inside
from portal.settings.phones import show_phone
from portal.ui.brand import initials
from portal.ui.formats import format_clock, format_number, format_weekday_date
from tenants.config.registry import INVOICES_FILTER, INVOICES_SECTION, SHOW_ZERO_INVOICES
from tenants.config.snapshot import Snapshot
from tenants.context import TenantFacts

SHOWN_INVOICES = 10
Status = PortalAccess.Status


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter above the list."""

    url: str
    text: str
    current: bool


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done to an access; a link when it asks first, otherwise a button."""

    url: str
    text: str
    icon: str
    ask_first: bool = False
    danger: bool = False
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ContactLine:
    """One line of the section Customer portal (ENR-03…08)."""

    email: str
    name: str
    memo: str
    status_badge: Badge | None
    status_note: str
    level: str
    invite: Action | None
    actions: tuple[Action, ...]
    shared_with: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One invoice with the reason why customers do not see it, if they do not (VIS-06…08)."""

    row: InvoiceRow
    hidden: str = field(default="")


def make_chips(counts: Counts, chosen: str, search: str) -> list[Chip]:
    """Return the filters with their counts; a search text stays when the filter changes."""
    names = {
        "": _("All"),
        "new": _("Has e-mail, not invited"),
        "invited": _("Invited"),
        "active": _("Active"),
        "no_email": _("No e-mail"),
    }
    chips = []
    for name, text in names.items():
        query = urlencode({k: v for k, v in (("f", name), ("q", search)) if v})
        count = f" · {format_number(counts.of(name))}" if name else ""
        chips.append(Chip(f"?{query}", f"{text}{count}", name == chosen))
    return chips


def make_customer_line(row: CustomerRow, tenant: TenantFacts, today: date) -> dict[str, Any]:
    """Return one line of the customer list."""
    quiet = _("Not invited") if row.email else _("No e-mail")
    return {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "number": row.number,
        "location": row.location,
        "more_locations": row.more_locations,
        "balance_cents": row.balance_cents,
        "past_due": row.past_due,
        "currency": tenant.currency,
        "portal_badge": access_badge(row.status, row.invited_at),
        "portal_text": quiet,
        "last_sign_in": say_moment(row.last_sign_in_at, today),
    }


def make_header(profile: Profile, tenant: TenantFacts) -> dict[str, Any]:
    """Return the facts at the top and in the contact card of a customer's page."""
    customer = profile.customer
    phone = profile.phones[0] if profile.phones else ""
    language = str(get_language_info(customer.language)["name_translated"]) if customer.language in ("en", "es") else ""
    return {
        "id": customer.pk,
        "name": customer.name,
        "number": customer.number,
        "initials": initials(customer.name),
        "since": customer.created_at,
        "phone": show_phone(phone, tenant.country) if phone else "",
        "phone_href": f"tel:{phone}",
        "email": profile.primary_row.email if profile.primary_row else "",
        "language": language,
        "balance_cents": profile.balance_cents,
        "past_due_cents": profile.past_due_cents,
        "currency": tenant.currency,
        "tags": customer.tags,
        "do_not_service": customer.do_not_service,
        "portal_locked": customer.portal_locked,
        "archived": customer.archived_at is not None,
        "notes": customer.internal_notes,
    }


def make_locations(locations: list[Location]) -> list[dict[str, str]]:
    """Return the service addresses, street first."""
    found = []
    for place in locations:
        town = ", ".join(part for part in (place.city, f"{place.region} {place.postal_code}".strip()) if part)
        street = f"{place.street}, {place.street2}" if place.street2 else place.street
        title, rest = (place.name, [street, town]) if place.name else (street, [town])
        found.append({"title": title, "note": " · ".join(part for part in rest if part)})
    return found


def delivery_of(rows: list[PortalRow]) -> dict[UUID, str]:
    """Return what became of the last invitation of each access, by the access's id; one query (ENR-28)."""
    accesses = [row.access.pk for row in rows if row.access]
    sent = OutboundMessage.objects.filter(related_kind="portal_access", related_id__in=accesses)
    return {message.related_id: message.state for message in sent.order_by("created_at") if message.related_id}


def make_contact_line(
    row: PortalRow, customer: Customer, today: date, *, delivery: dict[UUID, str], may_manage: bool
) -> ContactLine:
    """Return one address with its access, the fate of its invitation, and what can be done about it."""
    access = row.access
    status = access.status if access else ""
    invite = None
    can_invite = may_manage and not customer.portal_locked and customer.archived_at is None
    if can_invite and status in ("", Status.REVOKED):
        invite = Action(
            reverse("office:invite", args=[customer.pk]), _("Invite"), "mail", fields=(("email", row.email),)
        )
    return ContactLine(
        email=row.email,
        name=row.name,
        memo=access.memo if access else "",
        status_badge=_badge_of(access, delivery),
        status_note=_status_note(access, today),
        level=level_name(access.level) if access and status != Status.REVOKED else "",
        invite=invite,
        actions=_actions(access) if access and may_manage else (),
        shared_with=tuple(other.name for other in row.shared_with),
    )


def _badge_of(access: PortalAccess | None, delivery: dict[UUID, str]) -> Badge | None:
    if access is None:
        return None
    state = delivery.get(access.pk, "")
    if access.status == Status.INVITED and state in (OutboundMessage.State.BOUNCED, OutboundMessage.State.FAILED):
        return Badge(_("Came back"), "bad", "circle-alert")
    return access_badge(access.status, access.invited_at)


def _status_note(access: PortalAccess | None, today: date) -> str:
    if access is None:
        return ""
    if access.status == Status.ACTIVE:
        seen = access.portal_user.last_sign_in_at
        return (
            _("Last sign-in %(when)s") % {"when": say_moment_inside(seen, today)}
            if seen
            else _("Has not signed in yet")
        )
    if access.status == Status.INVITED and access.invited_at:
        return _("Sent %(when)s") % {"when": _exactly(access.invited_at)}
    if access.status == Status.REVOKED and access.revoked_at:
        return say_moment(access.revoked_at, today)
    return ""


def _exactly(value: datetime) -> str:
    return f"{format_weekday_date(value)}, {format_clock(value)}"


def _actions(access: PortalAccess) -> tuple[Action, ...]:
    """Return the menu of one access; what ends something asks first (ENR-16, F-07)."""
    where = [access.customer_id, access.pk]
    change = reverse("office:customer_access", args=where)
    other = PortalAccess.Level.NON_BILLING if access.level == PortalAccess.Level.BILLING else PortalAccess.Level.BILLING
    level_text = _("Hide billing from them") if other == PortalAccess.Level.NON_BILLING else _("Show billing to them")
    memo = Action(reverse("office:customer_memo", args=where), _("Edit memo"), "pencil", ask_first=True)
    level = Action(change, level_text, "shield-check", fields=(("do", "level"), ("level", other)))
    resend = Action(change, _("Resend invitation"), "mail", fields=(("do", "resend"),))
    suspend = Action(change, _("Suspend"), "pause", fields=(("do", "suspend"),))
    lift = Action(change, _("Give access back"), "circle-check", fields=(("do", "lift"),))
    revoke = Action(
        reverse("office:customer_revoke", args=where), _("Revoke access…"), "ban", ask_first=True, danger=True
    )
    menus: dict[str, tuple[Action, ...]] = {
        Status.INVITED: (resend, level, memo, revoke),
        Status.ACTIVE: (level, memo, suspend, revoke),
        Status.SUSPENDED: (lift, memo, revoke),
        Status.REQUESTED: (memo, revoke),
        Status.REVOKED: (memo,),
    }
    return menus.get(access.status, ())


def make_invoice_lines(customer_id: UUID, tenant: TenantFacts, settings: Snapshot, today: date) -> list[InvoiceLine]:
    """Return the newest invoices of a customer, each with why customers cannot see it; two queries."""
    newest = Invoice.objects.filter(bill_to_id=customer_id).select_related("bill_to", "location", "business_unit")
    invoices = list(newest.order_by("-issued_on", "-number")[:SHOWN_INVOICES])
    shown = set(shown_for([customer_id], settings).filter(pk__in=[i.pk for i in invoices]).values_list("pk", flat=True))
    return [
        InvoiceLine(
            make_row(invoice, today=today, can_charge=False), _why_hidden(invoice, invoice.pk in shown, settings)
        )
        for invoice in invoices
    ]


def _why_hidden(invoice: Invoice, shown: bool, settings: Snapshot) -> str:
    if settings.get(INVOICES_SECTION) == "hide":
        return _("Hidden: the invoices section is off")
    if shown:
        return ""
    if invoice.status in HIDDEN_STATUSES:
        return _("Hidden: a draft") if invoice.status == Invoice.Status.DRAFT else _("Hidden: void")
    if invoice.business_unit and invoice.business_unit.portal_excluded != "no":
        return _("Hidden: %(unit)s is not in the portal") % {"unit": invoice.business_unit.name}
    if not settings.get(SHOW_ZERO_INVOICES) and invoice.total_cents == 0:
        return _("Hidden: amount is zero")
    names = {
        "reviewed": _("Hidden until reviewed"),
        "exported": _("Hidden until exported"),
        "reviewed_and_exported": _("Hidden until reviewed and exported"),
    }
    return names.get(str(settings.get(INVOICES_FILTER)), _("Hidden"))
