"""The customer list finds, filters and counts at a constant number of queries (F-03)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.access.models import PortalAccess
from portal.accounts.models import PortalUser
from portal.customers.models import Contact, ContactPoint, Customer
from portal.customers.selectors import PAGE_SIZE, count_customers, find_customers, page_of
from portal.invoices.models import Invoice
from tests.cast import NOW

TODAY = date(2026, 11, 20)
STAMPS = {"created_at": NOW, "updated_at": NOW}


def make_customer(name: str, number: str, *, email: str = "", phone: str = "", status: str = "") -> Customer:
    customer = Customer.objects.create(name=name, number=number, **STAMPS)
    contact = Contact.objects.create(customer=customer, name=name, is_primary=True, **STAMPS)
    if email:
        ContactPoint.objects.create(contact=contact, kind="email", value=email, created_at=NOW)
    if phone:
        ContactPoint.objects.create(contact=contact, kind="phone", value=phone, created_at=NOW)
    if status:
        user, _ = PortalUser.objects.get_or_create(email=email, defaults={"created_at": NOW})
        dates = {"invited_at": NOW, "activated_at": NOW, "revoked_at": NOW if status == "revoked" else None}
        PortalAccess.objects.create(portal_user=user, customer=customer, status=status, created_at=NOW, **dates)
    return customer


def names(search: str = "", chosen: str = "") -> list[str]:
    page = page_of(find_customers(search=search, chosen=chosen), 1, total=None, today=TODAY)
    return [row.name for row in page.object_list]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("alice", ["Alice Archer"]),
        ("ARCH", ["Alice Archer"]),
        ("bob@exam", ["Bob Baker"]),
        ("C-1002", ["Bob Baker"]),
        ("1042", ["Alice Archer"]),
        ("#1044", ["Bob Baker"]),
        ("(614) 555-0188", ["Zoë Núñez"]),
        ("5550188", ["Zoë Núñez"]),
        ("núñez", ["Zoë Núñez"]),
        ("charlie", []),
        ("%", []),
        ("_", []),
        ("'; DROP TABLE", []),
    ],
)
def test_search_knows_name_mail_number_phone_and_invoice(acme: Any, search: str, found: list[str]) -> None:
    """F-03; wildcards are letters like any other, Globex' customers are nowhere (ISO-08)."""
    make_customer("Zoë Núñez", "1200", phone="+16145550188")
    assert names(search) == found


def test_filters_and_their_counts_agree(acme: Any) -> None:
    """F-03: every count is the length of its list."""
    make_customer("Carl New", "1201", email="carl@example.com")
    make_customer("Dora Invited", "1202", email="dora@example.com", status="invited")
    make_customer("Ed Revoked", "1203", email="ed@example.com", status="revoked")
    make_customer("Fay Without", "1204")
    make_customer("Gus Gone", "1205", email="gus@example.com")
    Customer.objects.filter(number="1205").update(archived_at=NOW)
    counts = count_customers()
    assert names(chosen="active") == ["Alice Archer", "Bob Baker"]
    assert names(chosen="new") == ["Carl New"]
    assert names(chosen="invited") == ["Dora Invited"]
    assert names(chosen="no_email") == ["Fay Without"]
    assert len(names()) == counts.total == 6
    for chosen in ("new", "invited", "active", "no_email"):
        assert counts.of(chosen) == len(names(chosen=chosen))


def test_a_row_tells_balance_place_and_portal(acme: Any) -> None:
    """F-03: what is owed, over open invoices only; the access that says most."""
    PortalUser.objects.filter(email="alice@example.com").update(last_sign_in_at=datetime(2026, 11, 20, 14, tzinfo=UTC))
    spouse = PortalUser.objects.create(email="al@example.com", created_at=NOW)
    alice = Customer.objects.get(number="C-1001")
    PortalAccess.objects.create(
        portal_user=spouse, customer=alice, status="revoked", created_at=NOW, invited_at=NOW, revoked_at=NOW
    )
    row = page_of(find_customers(search="alice", chosen=""), 1, total=None, today=TODAY).object_list[0]
    assert row.balance_cents == 41250 + 12900
    assert row.past_due
    assert (row.location, row.more_locations) == ("12 Elm Street", 0)
    assert (row.status, row.email) == ("active", "alice@example.com")
    assert row.last_sign_in_at == datetime(2026, 11, 20, 14, tzinfo=UTC)
    Invoice.objects.filter(bill_to=alice, status="open").update(status="void", voided_at=NOW)
    row = page_of(find_customers(search="alice", chosen=""), 1, total=None, today=TODAY).object_list[0]
    assert (row.balance_cents, row.past_due) == (0, False)


def test_the_list_costs_the_same_for_three_and_for_hundreds(acme: Any) -> None:
    """F-03: constant queries; a page holds fifty."""

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            counts = count_customers()
            page_of(find_customers(search="", chosen=""), 1, total=counts.total, today=TODAY)
        return len(queries)

    few = cost()
    for n in range(120):
        make_customer(f"Person {n:03}", f"P{n}", email=f"p{n}@example.com", status="invited" if n % 2 else "")
    assert cost() == few == 6
    page = page_of(find_customers(search="", chosen=""), 2, total=122, today=TODAY)
    assert len(page.object_list) == PAGE_SIZE
    assert page.has_next()


def test_a_page_beyond_the_end_is_the_last_one(acme: Any) -> None:
    """F-03: no dead end from an old bookmark."""
    for number in ("999", "x", "-1"):
        assert len(page_of(find_customers(search="", chosen=""), number, total=None, today=TODAY).object_list) == 2
