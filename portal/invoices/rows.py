"""An invoice as lists show it: what is owed, since when, and what may be done about it (datamodel.md 4.10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.customers.models import Location
from portal.invoices.models import Invoice
from portal.ui.formats import format_weekday_date

State = Literal["overdue", "due", "processing", "paid", "closed", "void", "draft"]
UNPAID: tuple[State, ...] = ("overdue", "due", "processing")
ICONS = {"overdue": "circle-alert", "processing": "clock", "paid": "check"}
KINDS = {"overdue": "bad", "processing": "info", "paid": "ok"}


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in a word, a tone and a picture."""

    text: str
    kind: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice of a list. `open_cents` is what can be paid now: neither paid, nor on its way, nor being paid."""

    id: UUID
    number: str
    title: str
    customer_id: UUID
    customer_name: str
    location: str
    issued_on: date
    due_date: date
    total_cents: int
    paid_cents: int
    processing_cents: int
    open_cents: int
    currency: str
    state: State
    status_badge: Badge
    can_pay: bool


def make_row(invoice: Invoice, *, today: date, can_charge: bool) -> InvoiceRow:
    """Return the row of an invoice read with bill_to and location; `today` is the company's day."""
    state = state_of(invoice, today)
    open_cents = open_cents_of(invoice)
    return InvoiceRow(
        id=invoice.pk,
        number=invoice.number,
        title=title_of(invoice),
        customer_id=invoice.bill_to_id,
        customer_name=invoice.bill_to.name,
        location=address_of(invoice.location),
        issued_on=invoice.issued_on,
        due_date=invoice.due_on,
        total_cents=invoice.total_cents,
        paid_cents=invoice.total_cents - invoice.balance_cents,
        processing_cents=invoice.pending_cents + invoice.reserved_cents,
        open_cents=open_cents,
        currency=invoice.currency,
        state=state,
        status_badge=make_badge(invoice, state, today),
        can_pay=can_charge and state in ("overdue", "due") and open_cents > 0,
    )


def make_rows(invoices: Iterable[Invoice], *, today: date, can_charge: bool) -> tuple[InvoiceRow, ...]:
    """Return the rows of several invoices."""
    return tuple(make_row(invoice, today=today, can_charge=can_charge) for invoice in invoices)


def open_cents_of(invoice: Invoice) -> int:
    """Return what can be paid now (INV-04); nothing for an invoice that is no longer claimed."""
    if invoice.status not in (Invoice.Status.OPEN, Invoice.Status.PARTIALLY_PAID):
        return 0
    return int(invoice.balance_cents) - invoice.pending_cents - invoice.reserved_cents


def state_of(invoice: Invoice, today: date) -> State:
    """Return the state a customer understands; overdue is derived, never stored."""
    if invoice.status == Invoice.Status.DRAFT:
        return "draft"
    if invoice.status == Invoice.Status.VOID:
        return "void"
    if invoice.status == Invoice.Status.PAID:
        return "paid"
    if invoice.status == Invoice.Status.WRITTEN_OFF:
        return "closed"
    if open_cents_of(invoice) <= 0:
        return "processing"
    return "overdue" if invoice.due_on < today else "due"


def make_badge(invoice: Invoice, state: State, today: date) -> Badge:
    """Return the state in words."""
    days = (today - invoice.due_on).days
    paid_on = invoice.paid_at
    texts: dict[State, str] = {
        "overdue": ngettext("%(days)s day overdue", "%(days)s days overdue", days) % {"days": days},
        "due": _("Due today") if days == 0 else _("Due %(date)s") % {"date": format_weekday_date(invoice.due_on)},
        "processing": _("Processing"),
        "paid": _("Paid %(date)s") % {"date": format_weekday_date(paid_on, "day")} if paid_on else _("Paid"),
        "closed": _("Closed"),
        "void": _("Withdrawn"),
        "draft": _("Draft"),
    }
    return Badge(texts[state], KINDS.get(state, ""), ICONS.get(state, ""))


def title_of(invoice: Invoice) -> str:
    """Return what the invoice is for in a few words: the kind of job, or its first line."""
    if invoice.job_type_name:
        return invoice.job_type_name
    first = invoice.lines[0] if invoice.lines else {}
    return str(first.get("description") or "")[:80] or _("Invoice %(number)s") % {"number": invoice.number}


def address_of(location: Location | None) -> str:
    """Return where the work was done, on one line."""
    if location is None:
        return ""
    return ", ".join(part for part in (location.street, location.street2, location.city) if part)
