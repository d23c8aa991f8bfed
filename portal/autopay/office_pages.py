"""What the office's pages of autopay show, as frozen values (F-18)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.utils.translation import gettext as _

from portal.autopay.agreement import place_words
from portal.invoices.methods import method_words
from portal.invoices.rows import Badge
from portal.payments.declines import words_for
from portal.payments.models import AutopayCharge, AutopayMandate
from portal.payments.office_pages import Happening
from tenants.schema.models import AuditEvent

PAGE_SIZE = 25
Charge, State, Pause = AutopayCharge.State, AutopayMandate.State, AutopayMandate.Pause
FAILED = (Charge.NEEDS_CUSTOMER, Charge.HANDED_OVER)
FILTERS: dict[str, Q] = {
    "": Q(state__in=AutopayMandate.LIVE),
    "active": Q(state=State.ACTIVE),
    "paused": Q(state=State.PAUSED),
    "failed": Q(state__in=AutopayMandate.LIVE)
    & Q(pk__in=AutopayCharge.objects.filter(state__in=FAILED).values("mandate_id")),
    "ended": Q(state=State.REVOKED),
}
SHOWN = 50


@dataclass(frozen=True, slots=True)
class NextCharge:
    """What is charged next."""

    on: date
    cents: int


@dataclass(frozen=True, slots=True)
class MandateRow:
    """One line of the list; `result` is what became of the newest charge that is over."""

    id: UUID
    customer_id: UUID
    customer_name: str
    place: str
    method: str
    cap_cents: int
    month_cap_cents: int | None
    badge: Badge
    next_charge: NextCharge | None
    result: Badge | None


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One invoice of a permission, with why it failed if it did."""

    invoice_id: UUID
    number: str
    cents: int
    planned_on: date
    badge: Badge
    reason: str


@dataclass(frozen=True, slots=True)
class MandatePage:
    """One permission with everything that became of it."""

    row: MandateRow
    fallback: str
    notice_days: int
    authorised_at: datetime
    authorised_by: str
    text_version: str
    is_living: bool
    is_active: bool
    is_held: bool
    because: str
    charges: tuple[ChargeLine, ...]
    history: tuple[Happening, ...]


def list_mandates(chosen: str, page: str) -> tuple[Page[AutopayMandate], list[MandateRow]]:
    """Return one page of permissions, by customer, and its lines; four queries however many there are."""
    rows = AutopayMandate.objects.filter(FILTERS[chosen]).select_related("bill_to", "method", "location")
    order = ("-revoked_at", "-id") if chosen == "ended" else ("bill_to__name", "id")
    found = Paginator(rows.order_by(*order), PAGE_SIZE).get_page(page)
    return found, make_rows(found.object_list)


def make_rows(mandates: Iterable[AutopayMandate]) -> list[MandateRow]:
    """Return the lines of permissions read with bill_to, method and location."""
    shown = list(mandates)
    # A permission collects charges for years: the database picks the one that comes next and the last that is over.
    charges = AutopayCharge.objects.filter(mandate__in=shown).distinct("mandate_id")
    coming = charges.filter(state__in=AutopayCharge.OPEN).order_by("mandate_id", "planned_on", "id")
    ended = charges.exclude(state__in=AutopayCharge.OPEN).order_by("mandate_id", "-planned_on", "-id")
    waiting = {charge.mandate_id: charge for charge in coming}
    over = {charge.mandate_id: charge for charge in ended}
    return [_make_row(mandate, waiting.get(mandate.pk), over.get(mandate.pk)) for mandate in shown]


def _make_row(mandate: AutopayMandate, waiting: AutopayCharge | None, over: AutopayCharge | None) -> MandateRow:
    plans = waiting is not None and mandate.state == State.ACTIVE
    return MandateRow(
        id=mandate.pk,
        customer_id=mandate.bill_to_id,
        customer_name=mandate.bill_to.name,
        place=place_words(mandate.location),
        method=method_words(mandate.method.shown),
        cap_cents=mandate.cap_cents,
        month_cap_cents=mandate.month_cap_cents,
        badge=mandate_badge(mandate),
        next_charge=NextCharge(waiting.planned_on, waiting.amount_cents) if waiting and plans else None,
        result=charge_badge(over) if over else None,
    )


def mandate_badge(mandate: AutopayMandate) -> Badge:
    """Return the state of a permission in a word."""
    if mandate.state == State.REVOKED:
        return Badge(_("Ended"), "", "ban")
    if mandate.state == State.ACTIVE:
        return Badge(_("On"), "ok", "check")
    texts: dict[str, str] = {
        Pause.CUSTOMER: _("Paused by the customer"),
        Pause.FAILED: _("Paused: failed twice"),
        Pause.METHOD: _("Paused: card or account ended"),
        Pause.OFFICE: _("Paused by the office"),
    }
    kind = "bad" if mandate.paused_because in (Pause.FAILED, Pause.METHOD) else "warn"
    return Badge(texts.get(mandate.paused_because, _("Paused")), kind, "pause")


def charge_badge(charge: AutopayCharge) -> Badge:
    """Return the state of a charge in a word, for the office."""
    if charge.state == Charge.ANNOUNCED and charge.tries:
        return Badge(_("Failed once, tried again"), "warn", "rotate-ccw")
    badges = {
        Charge.ANNOUNCED: Badge(_("Planned"), "", "calendar"),
        Charge.CHARGING: Badge(_("On its way"), "info", "clock"),
        Charge.CHARGED: Badge(_("Paid"), "ok", "check"),
        Charge.SKIPPED: Badge(_("Skipped"), "", "ban"),
        Charge.OVER_CAP: Badge(_("Above the limit"), "warn", "triangle-alert"),
        Charge.PAID_OTHERWISE: Badge(_("Paid another way"), "", "check"),
        Charge.NEEDS_CUSTOMER: Badge(_("The bank asks for the customer"), "warn", "lock"),
        Charge.HANDED_OVER: Badge(_("Failed twice"), "bad", "circle-alert"),
    }
    return badges[Charge(charge.state)]


def make_mandate_page(mandate: AutopayMandate) -> MandatePage:
    """Return the page of one permission."""
    charges = list(mandate.charges.select_related("invoice").order_by("-planned_on", "-id")[:SHOWN])
    (row,) = make_rows([mandate])
    return MandatePage(
        row=row,
        fallback=method_words(mandate.fallback.shown) if mandate.fallback else "",
        notice_days=mandate.notice_days,
        authorised_at=mandate.authorised_at,
        authorised_by=mandate.authorised_by.display_name or mandate.authorised_by.email,
        text_version=mandate.text_version,
        is_living=mandate.state in AutopayMandate.LIVE,
        is_active=mandate.state == State.ACTIVE,
        is_held=mandate.paused_because == Pause.OFFICE,
        because=_what_to_do(mandate),
        charges=tuple(_make_line(charge, mandate.method.kind) for charge in charges),
        history=tuple(_history(mandate, charges)),
    )


def _make_line(charge: AutopayCharge, kind: str) -> ChargeLine:
    failed = charge.failure_code or charge.decline_code
    reason = words_for(charge.failure_code, charge.decline_code, kind)[0] if failed else ""
    charged = charge.state in (Charge.CHARGED, Charge.PAID_OTHERWISE)
    return ChargeLine(
        invoice_id=charge.invoice_id,
        number=charge.invoice.number,
        cents=charge.amount_cents,
        planned_on=charge.taken_on or charge.planned_on,
        badge=charge_badge(charge),
        reason="" if charged else reason,
    )


def _what_to_do(mandate: AutopayMandate) -> str:
    texts: dict[str, str] = {
        Pause.CUSTOMER: _("The customer paused it and can turn it on again."),
        Pause.FAILED: _("Two charges failed. The customer was told to check the card or account; call them."),
        Pause.METHOD: _("The card or account can’t be charged any more. The customer has to choose another one."),
        Pause.OFFICE: _("The office paused it. Nothing is charged until the office goes on."),
    }
    return texts.get(mandate.paused_because, "")


def _history(mandate: AutopayMandate, charges: Iterable[AutopayCharge]) -> list[Happening]:
    """Return what was done to a permission and its invoices, the newest first, out of the audit."""
    numbers = {charge.pk: charge.invoice.number for charge in charges}
    events = AuditEvent.objects.filter(object_id__in=[mandate.pk, *numbers], action__startswith="autopay.")
    return [_happening(event, numbers, mandate.method.kind) for event in events.order_by("-at", "-id")[:SHOWN]]


def _happening(event: AuditEvent, numbers: dict[UUID, str], kind: str) -> Happening:
    after = event.after if isinstance(event.after, dict) else {}
    texts: dict[str, tuple[str, str, str]] = {
        "autopay.authorised": (_("Allowed"), "check", "done"),
        "autopay.paused": (_("Paused"), "pause", "now"),
        "autopay.resumed": (_("Turned on again"), "play", "done"),
        "autopay.revoked": (_("Ended"), "ban", "bad"),
        "autopay.replaced": (_("Replaced by a changed permission"), "pencil", "bad"),
        "autopay.skipped": (_("A charge was skipped"), "ban", ""),
        "autopay.charged": (_("Charged"), "check", "done"),
        "autopay.failed": (_("A charge failed"), "circle-alert", "bad"),
    }
    text, icon, tone = texts.get(event.action, (event.action, "info", ""))
    number = numbers.get(event.object_id) if event.object_id else None
    what = _("Invoice %(number)s") % {"number": number} if number else ""
    reason = words_for(str(after["code"]), "", kind)[0] if after.get("code") else ""
    who = event.actor_label if event.actor_kind != "system" else ""
    return Happening(event.at, text, " · ".join(part for part in (what, reason, who) if part), icon, tone)
