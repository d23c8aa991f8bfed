"""Addresses, memos and levels of a customer's people (ENR-03, ENR-04, ENR-08, ENR-12)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.access.models import PortalAccess
from portal.accounts.models import PortalUser
from portal.customers.models import Contact, ContactPoint, Customer
from portal.customers.profile import load_profile
from portal.customers.services import ChangedMeanwhile, add_email, change_level, write_memo
from tenants.audit import Actor
from tenants.schema.models import AuditEvent
from tests.cast import NOW

TODAY = date(2026, 11, 20)
OLIVE = Actor("staff", None, "Olive Owens")


@pytest.fixture
def alice(acme: Any) -> Customer:
    return Customer.objects.get(number="C-1001")


def test_an_address_is_added_once_in_one_spelling(alice: Customer) -> None:
    """ENR-12, AUN-21."""
    first = add_email(customer=alice, email=" Sam@EXAMPLE.com", by=OLIVE, now=NOW)
    again = add_email(customer=alice, email="sam@example.com", by=OLIVE, now=NOW)
    assert first.pk == again.pk
    assert first.value == "sam@example.com"
    assert AuditEvent.objects.filter(action="customer.email_added", object_id=alice.pk).count() == 1


def test_a_first_address_belongs_to_the_main_contact(acme: Any) -> None:
    """ENR-12: nobody becomes two people by getting an address."""
    stamps = {"created_at": NOW, "updated_at": NOW}
    fay = Customer.objects.create(name="Fay", number="1300", **stamps)
    contact = Contact.objects.create(customer=fay, name="Fay", is_primary=True, **stamps)
    assert add_email(customer=fay, email="fay@example.com", by=OLIVE, now=NOW).contact_id == contact.pk
    gus = Customer.objects.create(name="Gus", number="1301", **stamps)
    assert add_email(customer=gus, email="gus@example.com", by=OLIVE, now=NOW).contact.is_primary


def test_every_address_is_a_row_invited_or_not(alice: Customer) -> None:
    """ENR-03: and an access whose address has left the record stays visible."""
    add_email(customer=alice, email="sam@example.com", by=OLIVE, now=NOW)
    ContactPoint.objects.filter(value="alice@example.com").delete()
    profile = load_profile(alice.pk, TODAY)
    assert profile
    assert {row.email: bool(row.access) for row in profile.rows} == {
        "sam@example.com": False,
        "alice@example.com": True,
    }


def test_a_shared_mailbox_is_named(alice: Customer) -> None:
    """AUN-22: one mailbox that opens several accounts is not a secret."""
    add_email(customer=alice, email="bob@example.com", by=OLIVE, now=NOW)
    profile = load_profile(alice.pk, TODAY)
    assert profile
    assert [[c.name for c in row.shared_with] for row in profile.rows] == [[], ["Bob Baker"]]


def test_a_memo_is_kept_and_audited(alice: Customer) -> None:
    """ENR-04."""
    access = PortalAccess.objects.get(customer=alice)
    write_memo(access=access, memo="  Prefers text \x00 messages ", by=OLIVE, now=NOW)
    access.refresh_from_db()
    assert access.memo == "Prefers text  messages"
    assert AuditEvent.objects.get(object_id=access.pk).after == {"memo": "Prefers text  messages"}


def test_a_level_changes_only_from_what_was_seen(alice: Customer) -> None:
    """ENR-08: two people who decide at once do not undo one another unseen."""
    access = PortalAccess.objects.get(customer=alice)
    stale = PortalAccess.objects.get(customer=alice)
    change_level(access=access, level="non_billing", by=OLIVE, now=NOW)
    PortalAccess.objects.filter(pk=access.pk).update(status="suspended")
    with pytest.raises(ChangedMeanwhile):
        change_level(access=stale, level="non_billing", by=OLIVE, now=NOW)
    with pytest.raises(ValueError):
        change_level(access=stale, level="everything", by=OLIVE, now=NOW)


def test_a_profile_costs_the_same_however_much_hangs_on_it(alice: Customer) -> None:
    """F-06: constant queries."""

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            load_profile(alice.pk, TODAY)
        return len(queries)

    few = cost()
    for n in range(12):
        add_email(customer=alice, email=f"p{n}@example.com", by=OLIVE, now=NOW)
        user = PortalUser.objects.create(email=f"p{n}@example.com", created_at=NOW)
        PortalAccess.objects.create(portal_user=user, customer=alice, status="invited", created_at=NOW, invited_at=NOW)
    assert cost() == few == 8


def test_nobody_elses_customer_has_a_profile_here(acme: Any, alice: Customer) -> None:
    """ISO-08: an id of another company is no id."""
    from tenants.scope import tenant_scope
    from tests.cast import GLOBEX

    with tenant_scope(GLOBEX, "t_610be8000000000000000002"):
        foreign = Customer.objects.get().pk
        assert load_profile(foreign, TODAY)
        assert load_profile(alice.pk, TODAY) is None
    assert load_profile(foreign, TODAY) is None
