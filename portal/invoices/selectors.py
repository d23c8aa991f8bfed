"""What pages read about invoices, as frozen values: figures of an account, a page of a list, one invoice in full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, IntegerField, Min, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as mark

from portal.customers.models import Customer
from portal.invoices.codes import spell_short_code
from portal.invoices.methods import method_words
from portal.invoices.models import Invoice
from portal.invoices.rows import InvoiceRow, make_row, make_rows
from portal.settings.models import CompanyProfile
from tenants.context import TenantFacts

Filter = Literal["unpaid", "paid", "all"]
FILTERS: tuple[Filter, ...] = ("unpaid", "paid", "all")
PAGE_SIZE = 25

# What happened with money of an invoice after it was paid; a plain payment is named by its method alone.
MOVES = {
    "refund": mark("Refunded to %(method)s"),
    "refund_failed": mark("Refund came back"),
    "credit_note": mark("Goodwill"),
    "credit_note_undone": mark("Goodwill taken back"),
    "credit_applied": mark("From your credit"),
    "deposit_applied": mark("From your deposit"),
    "reversal": mark("%(method)s – taken out"),
    "dispute": mark("Taken back by the bank"),
    "dispute_reinstated": mark("Given back by the bank"),
}

CLAIMED = Q(status__in=(Invoice.Status.OPEN, Invoice.Status.PARTIALLY_PAID))
PAYABLE = F("balance_cents") - F("pending_cents") - F("reserved_cents")


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """What an account owes, over visible invoices only (INV-03).

    `open_count` counts what can be paid now; `unpaid_count` also what is being processed.
    """

    owed_cents: int
    past_due_cents: int
    processing_cents: int
    currency: str
    open_count: int
    unpaid_count: int
    paid_count: int
    paid_cents: int
    paid_since: date | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice or of its sum."""

    label: str
    cents: int


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment towards an invoice."""

    date: datetime
    text: str
    cents: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """One invoice in full: what its page, its PDF and its payment page show."""

    row: InvoiceRow
    lines: tuple[Line, ...]
    totals: tuple[Line, ...]
    settled: tuple[Line, ...]
    payments: tuple[PaymentLine, ...]
    terms: str
    po_number: str
    note: str
    short_code: str
    check_url: str


@dataclass(frozen=True, slots=True)
class InvoiceLinks:
    """Where an invoice's page leads; an empty address is not offered."""

    pdf_url: str
    pay_url: str
    back_url: str = ""
    sign_in_url: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceList:
    """One page of a list."""

    rows: tuple[InvoiceRow, ...]
    page: Page[Invoice]


def company_day(tenant: TenantFacts, now: datetime) -> date:
    """Return today where the company is; due dates are its dates."""
    return now.astimezone(tenant.zone).date()


def can_charge(tenant: TenantFacts) -> bool:
    """Whether customers can pay online now (PLT-18)."""
    return tenant.payment_account is not None and tenant.payment_account.can_charge


def other_ways_to_pay() -> str:
    """Return the company's own words on how to pay where nobody can pay online (PLT-18, M-12)."""
    text = CompanyProfile.objects.filter(pk=1).values_list("how_to_pay", flat=True).first()
    return text or _("Online payment is not set up. Please call us and we will tell you how to pay.")


def account_figures(invoices: QuerySet[Invoice], *, tenant: TenantFacts, now: datetime) -> AccountFigures:
    """Return the sums over the given invoices; one query."""
    today = company_day(tenant, now)
    paid = Q(status=Invoice.Status.PAID)
    found = invoices.annotate(payable=PAYABLE).aggregate(
        owed=Coalesce(Sum("payable", filter=CLAIMED), 0),
        past_due=Coalesce(Sum("payable", filter=CLAIMED & Q(due_on__lt=today)), 0),
        processing=Coalesce(Sum(F("pending_cents") + F("reserved_cents"), filter=CLAIMED), 0),
        open_count=Count("pk", filter=CLAIMED & Q(payable__gt=0)),
        unpaid_count=Count("pk", filter=CLAIMED),
        paid_count=Count("pk", filter=paid),
        paid_cents=Coalesce(Sum("total_cents", filter=paid), 0),
        paid_since=Min("issued_on", filter=paid),
    )
    return AccountFigures(
        owed_cents=int(found["owed"]),
        past_due_cents=int(found["past_due"]),
        processing_cents=int(found["processing"]),
        currency=tenant.currency,
        open_count=found["open_count"],
        unpaid_count=found["unpaid_count"],
        paid_count=found["paid_count"],
        paid_cents=int(found["paid_cents"]),
        paid_since=found["paid_since"],
    )


def credit_cents_of(customer_ids: Iterable[UUID]) -> int:
    """Return what the company owes these customers: money that no invoice has taken."""
    customers = Customer.objects.filter(pk__in=tuple(customer_ids))
    return int(customers.aggregate(left=Sum("credits__remaining_cents"))["left"] or 0)


def list_invoices(
    invoices: QuerySet[Invoice], *, shown: Filter, page: str | int, tenant: TenantFacts, now: datetime
) -> InvoiceList:
    """Return one page of the given invoices: overdue, due, processing, paid; newest first in each (INV-02)."""
    today = company_day(tenant, now)
    if shown == "unpaid":
        invoices = invoices.filter(CLAIMED)
    elif shown == "paid":
        invoices = invoices.exclude(CLAIMED)
    found = Paginator(in_order(invoices, today).select_related("bill_to", "location"), PAGE_SIZE).get_page(page)
    return InvoiceList(make_rows(found.object_list, today=today, can_charge=can_charge(tenant)), found)


def open_rows(invoices: QuerySet[Invoice], *, tenant: TenantFacts, now: datetime, limit: int) -> tuple[InvoiceRow, ...]:
    """Return the invoices that wait for money, the most urgent first."""
    today = company_day(tenant, now)
    waiting = in_order(invoices.filter(CLAIMED), today).select_related("bill_to", "location")
    return make_rows(waiting[:limit], today=today, can_charge=can_charge(tenant))


def in_order(invoices: QuerySet[Invoice], today: date) -> QuerySet[Invoice]:
    """Sort invoices as customers meet them: what is late first, what is settled last (INV-02)."""
    urgency = Case(
        When(CLAIMED & Q(payable__gt=0, due_on__lt=today), then=Value(0)),
        When(CLAIMED & Q(payable__gt=0), then=Value(1)),
        When(CLAIMED, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    waits = Case(When(CLAIMED, then=F("due_on")), default=None)
    return invoices.annotate(payable=PAYABLE, urgency=urgency, waits=waits).order_by(
        "urgency", "waits", "-issued_on", "-number"
    )


def invoice_page(invoice: Invoice, *, tenant: TenantFacts, now: datetime) -> InvoicePage:
    """Return everything a reader of the invoice may know; one query for the payments."""
    row = make_row(invoice, today=company_day(tenant, now), can_charge=can_charge(tenant))
    totals = []
    if invoice.discount_cents:
        totals.append(Line(_("Discount"), -invoice.discount_cents))
    if invoice.tax_cents:
        totals.append(Line(_("Tax"), invoice.tax_cents))
    return InvoicePage(
        row=row,
        lines=tuple(_line(line) for line in invoice.lines),
        totals=tuple(totals),
        settled=_settled(invoice),
        payments=_payments(invoice),
        terms=invoice.terms,
        po_number=invoice.po_number,
        note=invoice.public_note,
        short_code=spell_short_code(invoice.short_code) if invoice.short_code else "",
        check_url=tenant.url(f"/check/{invoice.short_code}") if invoice.short_code else "",
    )


def _line(line: dict[str, Any]) -> Line:
    # Only these three keys leave the office; cost and margin may stand beside them one day (VIS-01).
    label = str(line.get("description", ""))
    quantity = str(line.get("quantity", "1"))
    if quantity not in ("", "1", "1.0", "1.00"):
        label = _("%(quantity)s × %(what)s") % {"what": label, "quantity": quantity}
    return Line(label, int(line.get("amount_cents", 0)))


def _settled(invoice: Invoice) -> tuple[Line, ...]:
    """Return what has been taken off the total already, or is on its way."""
    parts = (
        Line(_("Paid to us directly"), -invoice.paid_elsewhere_cents),
        Line(_("Paid here"), -invoice.paid_cents),
        Line(_("Credit"), -invoice.credited_cents),
        Line(_("Payment processing"), -(invoice.pending_cents + invoice.reserved_cents)),
    )
    return tuple(part for part in parts if part.cents)


def _payments(invoice: Invoice) -> tuple[PaymentLine, ...]:
    """Return what came in for the invoice and left it again, from the journal: its balance is made of nothing else."""
    lines = []
    legs = (
        invoice.journal.filter(account="receivable")
        .exclude(payment=None)
        .select_related("payment")
        .order_by("at", "id")
    )
    for leg in legs:
        assert leg.payment
        words = method_words(leg.payment.method)
        if template := MOVES.get(leg.kind):
            words = _(template) % {"method": words}
        lines.append(PaymentLine(leg.at, words, -leg.delta_cents))
    return tuple(lines)
