"""A customer's invoices: the list with its figures, one invoice, its PDF."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal.access.policy import billing_customers
from portal.accounts.guards import CustomerRequest, actor_of, customer_view
from portal.invoices.access import get_invoice_for
from portal.invoices.pdf import pdf_name, render_invoice_pdf
from portal.invoices.policy import section_is_open, visible_of
from portal.invoices.rows import InvoiceRow, State
from portal.invoices.selectors import (
    FILTERS,
    AccountFigures,
    Filter,
    InvoiceLinks,
    InvoicePage,
    account_figures,
    credit_cents_of,
    invoice_page,
    list_invoices,
    other_ways_to_pay,
)
from portal.invoices.services import mark_viewed
from portal.ui.brand import BrandView
from portal.ui.paper import hand_out
from tenants.config.registry import PAY_MULTI


@dataclass(frozen=True, slots=True)
class FilterLink:
    """One filter above the list."""

    url: str
    text: str
    current: bool


@dataclass(frozen=True, slots=True)
class Section:
    """The invoices of one state under one heading."""

    title: str
    tone: str
    invoices: tuple[InvoiceRow, ...]


@require_safe
@customer_view
def show_list(request: CustomerRequest) -> HttpResponse:
    """Show the figures and the invoices, unpaid ones first (P-07, INV-01…04)."""
    if request.viewer.must_choose:
        return redirect("home:accounts")
    grants = request.viewer.shown_grants
    if not section_is_open(grants, request.settings).allowed:
        raise Http404
    now = timezone.now()
    invoices = visible_of(grants, request.settings)
    figures = account_figures(invoices, tenant=request.tenant, now=now)
    request.nav_counts = {"invoices:list": figures.open_count}
    wanted = request.GET.get("show", "")
    shown: Filter = next((name for name in FILTERS if name == wanted), "unpaid")
    found = list_invoices(invoices, shown=shown, page=request.GET.get("page", "1"), tenant=request.tenant, now=now)
    first = found.rows[0] if found.rows else None
    context = {
        "balance": figures,
        "shown": shown,
        "filters": _filters(figures, shown),
        "sections": _sections(found.rows),
        "pay_next": first if first and first.can_pay else None,
        "page": found.page,
        "account": request.viewer.chosen if len(request.viewer.grants) > 1 else None,
        "credit_cents": credit_cents_of(billing_customers(grants)),
        "may_select": _may_select(request, found.rows),
    }
    return render(request, "invoices/list.html", context)


@require_safe
@customer_view
def show_invoice(request: CustomerRequest, invoice_id: UUID) -> HttpResponse:
    """Show one invoice: total, due, what it is for, payments (P-08)."""
    now = timezone.now()
    invoice = get_invoice_for(request, invoice_id)
    page = invoice_page(invoice, tenant=request.tenant, now=now)
    shown = visible_of(request.viewer.shown_grants, request.settings)
    request.nav_counts = {"invoices:list": account_figures(shown, tenant=request.tenant, now=now).open_count}
    if request.method == "GET":
        mark_viewed(invoice=invoice, by=actor_of(request), now=now)
    links = InvoiceLinks(
        pdf_url=reverse("invoices:pdf", args=[invoice.pk]),
        pay_url=reverse("payments:pay", args=[invoice.pk]),
        back_url=reverse("invoices:list"),
    )
    context = {"page": page, "invoice": page.row, "links": links, "how_to_pay": how_to_pay(page)}
    return render(request, "invoices/detail.html", context)


@require_safe
@customer_view
def download_invoice(request: CustomerRequest, invoice_id: UUID) -> HttpResponse:
    """Answer with the invoice as a PDF file (INV-07)."""
    invoice = get_invoice_for(request, invoice_id)
    return answer_pdf(invoice_page(invoice, tenant=request.tenant, now=timezone.now()), request.brand)


def answer_pdf(page: InvoicePage, brand: BrandView) -> HttpResponse:
    """Answer with an invoice as a PDF file to whoever may see it."""
    return hand_out(render_invoice_pdf(page, brand), pdf_name(page))


def _may_select(request: CustomerRequest, rows: tuple[InvoiceRow, ...]) -> bool:
    """Whether several invoices can be ticked and paid at once: those of one account only (C-11, money inv. 1)."""
    payable = [row for row in rows if row.can_pay]
    one_account = len({row.customer_id for row in payable}) == 1
    return len(payable) > 1 and one_account and bool(request.settings.get(PAY_MULTI))


def how_to_pay(page: InvoicePage) -> str:
    """Return how to pay an invoice that waits for money where no button can stand."""
    if page.row.can_pay or page.row.state not in ("overdue", "due"):
        return ""
    return other_ways_to_pay()


def _filters(figures: AccountFigures, shown: Filter) -> tuple[FilterLink, ...]:
    address = reverse("invoices:list")
    texts = {
        "unpaid": _("Unpaid %(count)s") % {"count": figures.unpaid_count},
        "paid": _("Paid %(count)s") % {"count": figures.paid_count},
        "all": _("All"),
    }
    return tuple(FilterLink(f"{address}?show={name}", text, name == shown) for name, text in texts.items())


def _sections(rows: tuple[InvoiceRow, ...]) -> tuple[Section, ...]:
    """Put the rows, which come in order, under the heading of their state."""
    headings: tuple[tuple[str, str, tuple[State, ...]], ...] = (
        (_("Overdue"), "bad", ("overdue",)),
        (_("Due soon"), "", ("due",)),
        (_("Processing"), "", ("processing",)),
        (_("Paid"), "", ("paid", "closed")),
    )
    sections = (
        Section(title, tone, tuple(row for row in rows if row.state in states)) for title, tone, states in headings
    )
    return tuple(section for section in sections if section.invoices)
