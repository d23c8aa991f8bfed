"""Reads a statement from the visible invoices and the journal (X-19, INV-10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from portal.accounts.viewer import Grant
from portal.invoices.methods import method_words
from portal.invoices.models import Invoice
from portal.invoices.policy import visible_of
from portal.invoices.rows import title_of
from portal.invoices.selectors import company_day
from portal.payments.models import Journal
from portal.statements.account import Account, Effect, Kind, make_account
from tenants.config.snapshot import Snapshot
from tenants.context import TenantFacts


@dataclass(frozen=True, slots=True)
class Statement:
    """What page, PDF and mail of a statement show."""

    customer_name: str
    customer_numbers: str
    currency: str
    account: Account
    made_on: date


def make_statement(
    grants: tuple[Grant, ...], *, settings: Snapshot, tenant: TenantFacts, first: date, last: date, now: datetime
) -> Statement:
    """Return the account of the customers that the grants open; three queries, whatever the period.

    Only invoices that the person may see count, so it always agrees with their list (VIS-06, X-14).
    """
    invoices = visible_of(grants, settings).filter(currency=tenant.currency)
    return Statement(
        customer_name=", ".join(dict.fromkeys(grant.customer_name for grant in grants)),
        customer_numbers=", ".join(dict.fromkeys(grant.customer_number for grant in grants)),
        currency=tenant.currency,
        account=make_account(_effects(invoices, tenant), first=first, last=last),
        made_on=company_day(tenant, now),
    )


def _effects(invoices: QuerySet[Invoice], tenant: TenantFacts) -> Iterator[Effect]:
    known: dict[UUID, Invoice] = {}
    for invoice in invoices.select_related("location"):
        known[invoice.pk] = invoice
        yield _effect(invoice, invoice.issued_on, "invoice", invoice.total_cents, title_of(invoice))
        if invoice.paid_elsewhere_cents:
            # The company's books say that it came, not when.
            yield _effect(invoice, invoice.issued_on, "direct", -invoice.paid_elsewhere_cents)
        if invoice.status == Invoice.Status.WRITTEN_OFF and invoice.balance_cents:
            closed_on = company_day(tenant, invoice.updated_at)
            yield _effect(invoice, closed_on, "closed", -int(invoice.balance_cents))
    legs = Journal.objects.filter(account=Journal.Account.RECEIVABLE, invoice__in=invoices)
    for leg in legs.values("invoice_id", "kind", "delta_cents", "at", "payment__method"):
        invoice = known[leg["invoice_id"]]
        kind, text = _read_leg(leg)
        yield _effect(invoice, company_day(tenant, leg["at"]), kind, leg["delta_cents"], text)


def _effect(invoice: Invoice, on: date, kind: Kind, cents: int, text: str = "") -> Effect:
    return Effect(max(on, invoice.issued_on), kind, cents, invoice.pk, invoice.number, invoice.due_on, text)


def _read_leg(leg: Mapping[str, Any]) -> tuple[Kind, str]:
    if leg["kind"].startswith("credit"):
        return "credit", ""
    if leg["delta_cents"] > 0:
        return "money_back", ""
    return "money_in", method_words(leg["payment__method"] or {})


def entry_words(kind: Kind, number: str, text: str) -> str:
    """Return one line of a statement in words."""
    words = {
        "invoice": _("Invoice %(number)s"),
        "direct": _("Paid to us directly, invoice %(number)s"),
        "money_in": _("Payment for invoice %(number)s"),
        "money_back": _("Money given back, invoice %(number)s"),
        "credit": _("Credit for invoice %(number)s"),
        "closed": _("Invoice %(number)s closed by us"),
    }[kind] % {"number": number}
    return f"{words} · {text}" if text else words


def bucket_words() -> tuple[str, ...]:
    """Return the names of the ages of debt, as many as there are buckets."""
    return (_("Not due yet"), _("1–30 days late"), _("31–60 days"), _("61–90 days"), _("Over 90 days"))
