"""The customer list of the office: search, filters, counts and pages at a constant number of queries (F-03).

What it leans on at 50,000 customers: the index on lower(name) for the order, the foreign keys of contact, point,
location and access for the page's rows, invoice_by_customer for balances. The counts above the list and a search read
every customer once; beyond a hundred thousand a trigram index on name and point value, and kept counts, are due.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Lower

from portal.access.models import PortalAccess
from portal.customers.models import ContactPoint, Customer, Location

PAGE_SIZE = 50
OWED = ("open", "partially_paid")
FILTERS = ("", "new", "invited", "active", "no_email")
Status = PortalAccess.Status


@dataclass(frozen=True, slots=True)
class Counts:
    """How many customers each filter shows."""

    total: int
    new: int
    invited: int
    active: int
    no_email: int

    def of(self, name: str) -> int:
        """Return the count of one filter; the empty name is all of them."""
        return int(getattr(self, name or "total"))


@dataclass(slots=True)
class CustomerRow:
    """One line of the list."""

    id: UUID
    name: str
    number: str
    email: str = ""
    location: str = ""
    more_locations: int = 0
    balance_cents: int = 0
    past_due: bool = False
    status: str = ""
    invited_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    locked: bool = field(default=False)


def living_customers() -> QuerySet[Customer]:
    """Return the customers the office works with: not archived, not merged into another."""
    return Customer.objects.filter(archived_at__isnull=True, merged_into__isnull=True)


def count_customers() -> Counts:
    """Return the count of every filter in one query."""
    with_email, active, invited, known = (
        _with_email(),
        _with_status(Status.ACTIVE),
        _with_status(Status.INVITED),
        _known(),
    )
    found = living_customers().aggregate(
        total=Count("pk"),
        active=Count("pk", filter=Q(pk__in=active)),
        invited=Count("pk", filter=Q(pk__in=invited) & ~Q(pk__in=active)),
        new=Count("pk", filter=Q(pk__in=with_email) & ~Q(pk__in=known)),
        no_email=Count("pk", filter=~Q(pk__in=with_email)),
    )
    return Counts(**found)


def find_customers(*, search: str, chosen: str) -> QuerySet[Customer]:
    """Return the customers that match a search text and one of FILTERS, by name."""
    found = living_customers().only("id", "name", "number", "portal_locked")
    if chosen == "active":
        found = found.filter(pk__in=_with_status(Status.ACTIVE))
    elif chosen == "invited":
        found = found.filter(pk__in=_with_status(Status.INVITED)).exclude(pk__in=_with_status(Status.ACTIVE))
    elif chosen == "new":
        found = found.filter(pk__in=_with_email()).exclude(pk__in=_known())
    elif chosen == "no_email":
        found = found.exclude(pk__in=_with_email())
    if search:
        found = found.filter(_matches(search))
    return found.order_by(Lower("name"), "pk")


def page_of(customers: QuerySet[Customer], number: str | int | None, *, total: int | None, today: date) -> Page[Any]:
    """Return one page of rows; `total` saves counting when it is known. Six queries, however many customers."""
    paginator = Paginator(customers, PAGE_SIZE)
    if total is not None:
        paginator.__dict__["count"] = total  # fills Django's cached property
    page: Page[Any] = paginator.get_page(number)
    page.object_list = _fill_rows(list(page.object_list), today)
    return page


def _fill_rows(customers: Sequence[Customer], today: date) -> list[CustomerRow]:
    rows = {c.pk: CustomerRow(c.pk, c.name, c.number, locked=c.portal_locked) for c in customers}
    points = ContactPoint.objects.filter(kind="email", contact__customer__in=rows, contact__archived_at__isnull=True)
    first = points.order_by("-contact__is_primary", "-is_primary", "created_at", "pk")
    for customer_id, value in first.values_list("contact__customer_id", "value"):
        rows[customer_id].email = rows[customer_id].email or value
    streets = Location.objects.filter(customer__in=rows, is_active=True).values("customer_id")
    for found in streets.annotate(count=Count("pk"), street=Min("street")):
        rows[found["customer_id"]].location = found["street"]
        rows[found["customer_id"]].more_locations = found["count"] - 1
    for balance in _balances(rows, today):
        rows[balance["pk"]].balance_cents = balance["owed"] or 0
        rows[balance["pk"]].past_due = bool(balance["late"])
    _fill_status(rows)
    return list(rows.values())


def _balances(ids: Any, today: date) -> Any:
    owed = Q(invoices__status__in=OWED)
    return (
        Customer.objects.filter(pk__in=ids)
        .values("pk")
        .annotate(
            owed=Sum("invoices__balance_cents", filter=owed),
            late=Sum("invoices__balance_cents", filter=owed & Q(invoices__due_on__lt=today)),
        )
    )


def balance_of(customer: Customer, today: date) -> tuple[int, int]:
    """Return what a customer owes and how much of it is past due, in the smallest unit."""
    found = _balances([customer.pk], today).get()
    return found["owed"] or 0, found["late"] or 0


def _fill_status(rows: dict[UUID, CustomerRow]) -> None:
    """Show of several accesses the one that says most."""
    order = (Status.ACTIVE, Status.INVITED, Status.REQUESTED, Status.SUSPENDED, Status.REVOKED)
    accesses = (
        PortalAccess.objects.filter(customer__in=rows)
        .values("customer_id", "status")
        .annotate(invited=Max("invited_at"), seen=Max("portal_user__last_sign_in_at"))
    )
    for found in accesses:
        row = rows[found["customer_id"]]
        if not row.status or order.index(found["status"]) < order.index(Status(row.status)):
            row.status = found["status"]
            row.invited_at = found["invited"]
        if found["status"] == Status.ACTIVE:
            row.last_sign_in_at = found["seen"]


def _matches(search: str) -> Q:
    """Match name, number, e-mail, phone and invoice number; each list of ids is looked up once, not per row."""
    text = search.strip()[:100]
    by_email = ContactPoint.objects.filter(kind="email", value__contains=text.lower())
    found = (
        Q(name__icontains=text)
        | Q(number__iexact=text)
        | Q(pk__in=by_email.values("contact__customer_id"))
        | Q(pk__in=Customer.objects.filter(invoices__number__in={text, text.lstrip("#")}).values("pk"))
    )
    digits = re.sub(r"\D", "", text)
    if len(digits) >= 4 and re.fullmatch(r"[\d\s()+./-]+", text):
        by_phone = ContactPoint.objects.filter(kind="phone", value__contains=digits)
        found |= Q(pk__in=by_phone.values("contact__customer_id"))
    return found


def _with_email() -> Any:
    points = ContactPoint.objects.filter(kind="email", contact__archived_at__isnull=True)
    return points.values("contact__customer_id")


def _with_status(status: str) -> Any:
    return PortalAccess.objects.filter(status=status).values("customer_id")


def _known() -> Any:
    """Customers who have been invited in some way, also those whose access was ended since."""
    return PortalAccess.objects.values("customer_id")
