"""Inviting, pausing and ending access from the customer's page (F-06, F-07, ENR-01…18)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.access.models import PortalAccess
from portal.accounts import sessions
from portal.accounts.client import Client
from portal.accounts.models import PortalSession, PortalUser
from portal.customers.models import ContactPoint, Customer
from portal.invoices.models import Invoice
from portal.messaging.models import OutboundMessage
from tenants.context import prove_tenant
from tenants.outbox import deliver_outbox
from tenants.schema.models import AuditEvent
from tests.cast import ACME, NOW
from tests.conftest import HostClient


@pytest.fixture
def fay(acme: Any) -> Customer:
    """A customer without any e-mail address."""
    return Customer.objects.create(number="1400", name="Fay Forster", created_at=NOW, updated_at=NOW)


def page_of(client: HostClient, customer: Customer) -> str:
    return client.get(f"/office/customers/{customer.pk}").content.decode()


def do(client: HostClient, access: PortalAccess, what: str, **more: str) -> str:
    path = f"/office/customers/{access.customer_id}/access/{access.pk}"
    return client.post(path, {"do": what, **more}, follow=True).content.decode()


def invite(client: HostClient, customer: Customer, email: str, **more: str) -> str:
    data = {"email": email, **more}
    return client.post(f"/office/customers/{customer.pk}/invite", data, follow=True).content.decode()


def test_without_an_address_the_page_says_what_to_do_first(olive: HostClient, fay: Customer) -> None:
    """ENR-10, ENR-12."""
    page = page_of(olive, fay)
    assert "Add an e-mail address first" in page
    assert "Invite to the portal" not in page


def test_an_invitation_is_confirmed_dated_and_mailed_once(olive: HostClient, fay: Customer) -> None:
    """ENR-13…15, ENR-17: the address is stored, the row shows date and time, the mail is on its way."""
    page = invite(olive, fay, "Fay@Example.com", do="invite")
    assert "Invitation sent to fay@example.com" in page
    assert "badge--info" in page
    assert ContactPoint.objects.get(value="fay@example.com").contact.customer_id == fay.pk
    access = PortalAccess.objects.get(customer=fay)
    assert (access.status, access.level) == ("invited", "billing")
    deliver_outbox(context=prove_tenant(ACME, timezone.now()))
    assert [message.to for message in mail.outbox] == [["fay@example.com"]]


def test_an_address_can_be_added_without_inviting(olive: HostClient, fay: Customer) -> None:
    """ENR-12: and then has a row with an Invite button (ENR-03, ENR-14, ENR-18)."""
    page = invite(olive, fay, "fay@example.com", do="add")
    assert "is on the record now" in page
    assert PortalAccess.objects.filter(customer=fay).count() == 0
    assert "Not invited" in page
    assert "Invite to the portal" in page


@pytest.mark.parametrize("bad", ["", "fay", "fay@", "fay@example", "a b@example.com", "x" * 250 + "@example.com"])
def test_what_is_no_address_is_refused_beside_the_field(olive: HostClient, fay: Customer, bad: str) -> None:
    """ENR-10."""
    answer = olive.post(f"/office/customers/{fay.pk}/invite", {"email": bad})
    assert answer.status_code == 422
    assert "field__error" in answer.content.decode()
    assert PortalUser.objects.filter(email__startswith="fay").count() == 0


def test_inviting_somebody_active_changes_nothing(olive: HostClient, acme: Any) -> None:
    """datamodel 4.4."""
    alice = Customer.objects.get(number="C-1001")
    assert "uses the portal already" in invite(olive, alice, "alice@example.com")
    assert PortalAccess.objects.get(customer=alice).status == "active"


def test_the_life_of_an_access(olive: HostClient, acme: Any) -> None:
    """datamodel 4.4: active → suspended → active → revoked → invited, each step told and audited."""
    access = PortalAccess.objects.get(customer__number="C-1001")
    user = access.portal_user
    sessions.start_session(user=user, tenant_id=ACME, client=Client(None, "", ""), now=timezone.now())
    assert "use the portal for now" in do(olive, access, "suspend")
    assert PortalSession.objects.filter(ended_at__isnull=True).count() == 0
    assert "Suspended" in page_of(olive, access.customer)
    assert "That access is suspended" in do(olive, access, "suspend")
    assert "can use the portal again" in do(olive, access, "lift")

    ask = olive.get(f"/office/customers/{access.customer_id}/access/{access.pk}/revoke")
    assert "Revoke access of alice@example.com?" in ask.content.decode()
    access.refresh_from_db()
    assert access.status == "active"
    olive.post(f"/office/customers/{access.customer_id}/access/{access.pk}/revoke")
    access.refresh_from_db()
    assert access.status == "revoked"

    page = invite(olive, access.customer, "alice@example.com")
    assert "Invitation sent" in page
    access.refresh_from_db()
    assert access.status == "invited"
    before = access.invited_at
    assert "Invitation sent" in do(olive, access, "resend")
    access.refresh_from_db()
    assert before
    assert access.invited_at
    assert access.invited_at > before
    actions = list(AuditEvent.objects.filter(object_id=access.pk).order_by("at").values_list("action", flat=True))
    assert actions == [
        "portal_access.suspended",
        "portal_access.lifted",
        "portal_access.revoked",
        "portal_access.invited",
        "portal_access.invited",
    ]
    assert "Olive Owens" in page_of(olive, access.customer)


def test_an_invitation_that_came_back_says_so(olive: HostClient, fay: Customer) -> None:
    """ENR-28: the office sees it where it looks for the date, until the next one is sent."""
    invite(olive, fay, "fay@gmial.example")
    deliver_outbox(context=prove_tenant(ACME, timezone.now()))
    assert "Came back" not in page_of(olive, fay)
    OutboundMessage.objects.update(state="bounced")
    assert "Came back" in page_of(olive, fay)
    do(olive, PortalAccess.objects.get(customer=fay), "resend")
    deliver_outbox(context=prove_tenant(ACME, timezone.now()))
    assert "Came back" not in page_of(olive, fay)


def test_the_menu_offers_only_what_is_possible(olive: HostClient, acme: Any) -> None:
    """ENR-16, F-07: by state."""
    access = PortalAccess.objects.get(customer__number="C-1001")
    offered = {
        "active": ("Suspend", "Revoke access", "Hide billing"),
        "invited": ("Resend", "Revoke access"),
        "suspended": ("Give access back", "Revoke access"),
        "revoked": ("Invite",),
    }
    never = {"active": ("Resend",), "invited": ("Suspend",), "suspended": ("Resend",), "revoked": ("Suspend", "Resend")}
    for status, words in offered.items():
        PortalAccess.objects.filter(pk=access.pk).update(status=status, revoked_at=NOW)
        section = page_of(olive, access.customer).partition('id="portal"')[2].partition('id="contact"')[0]
        for word in words:
            assert word in section, (status, word)
        for word in never[status]:
            assert f">{word}" not in section, (status, word)


def test_level_and_memo_change_at_once(olive: HostClient, acme: Any) -> None:
    """ENR-04, ENR-08: and an unknown level or deed does not exist."""
    access = PortalAccess.objects.get(customer__number="C-1001")
    do(olive, access, "level", level="non_billing")
    access.refresh_from_db()
    assert access.level == "non_billing"
    path = f"/office/customers/{access.customer_id}/access/{access.pk}"
    assert olive.post(path, {"do": "level", "level": "owner"}).status_code == 404
    assert olive.post(path, {"do": "delete"}).status_code == 404
    assert olive.post(f"{path}/memo", {"memo": "<i>Prefers text</i>"}).status_code == 303
    assert "&lt;i&gt;Prefers text&lt;/i&gt;" in page_of(olive, access.customer)
    assert olive.post(f"{path}/memo", {"memo": "x" * 1001}).status_code == 422


def test_a_locked_customer_invites_nobody(olive: HostClient, acme: Any) -> None:
    """datamodel 2.3: the page says why, a hand-made request is told too."""
    alice = Customer.objects.get(number="C-1001")
    Customer.objects.filter(pk=alice.pk).update(portal_locked=True)
    page = page_of(olive, alice)
    assert "Locked out of the portal" in page
    assert "Add and invite" not in page
    assert "locked out of the portal" in invite(olive, alice, "new@example.com")
    assert PortalAccess.objects.filter(portal_user__email="new@example.com").count() == 0


def test_a_hidden_invoice_says_why(olive: HostClient, acme: Any) -> None:
    """VIS-06…08: the office sees what customers don't, with the reason."""
    alice = Customer.objects.get(number="C-1001")
    page = page_of(olive, alice)
    assert "Hidden" not in page
    Invoice.objects.filter(number="1043").update(status="draft")
    assert "Hidden: a draft" in page_of(olive, alice)


def test_internal_notes_of_invoices_stay_out_of_this_page(olive: HostClient, acme: Any) -> None:
    """VIS-01: the page shows what it names and nothing else."""
    assert "CANARY" not in page_of(olive, Customer.objects.get(number="C-1001"))


def test_names_are_data_not_markup(olive: HostClient, fay: Customer) -> None:
    """INJ: a customer's name, a tag and a note from an import."""
    evil = "<script>alert(1)</script>"
    Customer.objects.filter(pk=fay.pk).update(name=evil, tags=[evil], internal_notes=evil)
    assert evil not in page_of(olive, fay)
    assert evil not in olive.get("/office/customers").content.decode()
    assert evil not in olive.get("/office/customers", {"q": evil}).content.decode()


def test_pages_cost_the_same_however_many_customers_there_are(olive: HostClient, acme: Any) -> None:
    """F-03, F-06: constant queries for the whole page."""

    def cost(path: str) -> int:
        olive.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert olive.get(path).status_code == 200
        return len(queries)

    alice = Customer.objects.get(number="C-1001")
    paths = ("/office/customers", "/office/customers?q=a", f"/office/customers/{alice.pk}", "/office/")
    few = [cost(path) for path in paths]
    for n in range(60):
        olive.post(f"/office/customers/{alice.pk}/invite", {"email": f"p{n}@example.com"})
        Customer.objects.create(number=f"N{n}", name=f"Anna {n}", created_at=NOW, updated_at=NOW)
    assert [cost(path) for path in paths] == few
    assert max(few) <= 18
