"""Inviting, resending, pausing and ending a person's access (ENR-10…18, datamodel.md 4.4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from portal.access.models import PortalAccess
from portal.access.policy import level, may_see_billing
from portal.access.services import (
    AccessConflict,
    CustomerLocked,
    NoEmail,
    invite_to_portal,
    lift,
    resend_invitation,
    revoke,
    suspend,
)
from portal.accounts.models import LoginToken, PortalUser
from portal.accounts.viewer import Grant
from portal.customers.models import Contact, Customer
from portal.messaging.models import OutboundMessage
from tenants.audit import Actor
from tenants.schema.models import AuditEvent
from tests.portal.accounts.signing_in import code_in, deliver, link_in

OLIVE = Actor("staff", None, "Olive")


def invite(email: str = "pat@example.com", **more: Any) -> PortalAccess:
    values = {"customer": Customer.objects.get(number="C-1001"), "email": email, "by": OLIVE, "now": timezone.now()}
    return invite_to_portal(**{**values, **more})


def alices() -> PortalAccess:
    return PortalAccess.objects.get(portal_user__email="alice@example.com")


def test_an_invitation_is_a_branded_mail_with_link_button_and_code(acme: Any, acme_client: Any) -> None:
    """ENR-24, AUTH-04, AUTH-05, BRAND-01: name, phone, e-mail, address; both parts; who it is from."""
    access = invite()
    [message] = deliver(acme)
    html = message.alternatives[0].content
    for part in (message.body, html):
        for text in ("Open your customer portal", "Olive", "(512) 555-0100", "office@acme.example", "1 Main Street"):
            assert text in part, text
        assert link_in(message) in part
        assert code_in(message) in part
    assert "#1e5aa8" in html
    assert "<script" not in html
    assert message.to == ["pat@example.com"]
    assert message.from_email == "Acme Heating & Air <hello@portal.localhost>"
    assert message.reply_to == ["office@acme.example"]
    assert access.status == "invited"
    assert acme_client.post(link_in(message)).status_code == 303
    access.refresh_from_db()
    assert access.status == "active"


def test_the_kept_text_signs_nobody_in(acme: Any) -> None:
    """AUN-16: neither link nor code is in the database, in no column of any message, event or audit row."""
    invite()
    [message] = deliver(acme)
    token, code = link_in(message).rpartition("/")[2], code_in(message)
    kept = OutboundMessage.objects.get(kind="portal_invitation")
    assert "Open your customer portal" in kept.text
    assert kept.sent_at is not None
    from tenants.schema.models import OutboxEvent

    everything = "".join(
        str(rows) for model in (OutboundMessage, OutboxEvent, AuditEvent, LoginToken) for rows in model.objects.values()
    )
    assert token not in everything
    assert code not in kept.text


def test_a_resent_invitation_leaves_the_first_link_alive(acme: Any, acme_client: Any) -> None:
    """ENR-16, datamodel.md 5.5."""
    access = invite()
    [first] = deliver(acme)
    resend_invitation(access=access, by=OLIVE, now=timezone.now())
    [second] = deliver(acme)
    assert link_in(first) != link_in(second)
    assert first.extra_headers["Message-ID"] != second.extra_headers["Message-ID"]
    assert acme_client.post(link_in(first)).status_code == 303


def test_inviting_twice_keeps_one_person_and_one_access(acme: Any) -> None:
    first, second = invite("Pat@Example.com"), invite(" pat@example.com ")
    assert first.pk == second.pk
    assert PortalUser.objects.filter(email="pat@example.com").count() == 1


def test_an_active_person_is_not_invited_again(acme: Any) -> None:
    assert invite("alice@example.com").status == "active"
    assert deliver(acme) == []


def test_the_contacts_primary_address_is_used(acme: Any) -> None:
    contact = Contact.objects.get(customer__number="C-1002")
    PortalAccess.objects.filter(contact=contact).delete()
    access = invite("", customer=contact.customer, contact=contact)
    assert access.portal_user.email == "bob@example.com"
    assert access.contact_id == contact.pk


def test_without_an_address_nobody_is_invited(acme: Any) -> None:
    """ENR-10."""
    for text in ("", "pat", "pat@"):
        with pytest.raises(NoEmail):
            invite(text)


def test_nobody_is_invited_for_a_locked_customer(acme: Any) -> None:
    Customer.objects.filter(number="C-1001").update(portal_locked=True)
    with pytest.raises(CustomerLocked):
        invite()


def test_an_invitation_revoked_before_it_leaves_is_not_mailed(acme: Any) -> None:
    revoke(access=invite(), by=OLIVE, now=timezone.now())
    assert deliver(acme) == []


def test_the_states_of_an_access_follow_the_table(acme: Any) -> None:
    """datamodel.md 4.4: legal steps in order, then each illegal one."""
    access = alices()
    for step, status in ((suspend, "suspended"), (lift, "active"), (suspend, "suspended"), (revoke, "revoked")):
        step(access=access, by=OLIVE, now=timezone.now())
        assert alices().status == status
    for step in (suspend, lift, revoke, resend_invitation):
        with pytest.raises(AccessConflict):
            step(access=access, by=OLIVE, now=timezone.now())
    assert invite("alice@example.com").status == "invited"
    assert list(AuditEvent.objects.filter(object_id=access.pk).order_by("pk").values_list("action", flat=True)) == [
        "portal_access.suspended",
        "portal_access.lifted",
        "portal_access.suspended",
        "portal_access.revoked",
        "portal_access.invited",
    ]


@pytest.mark.parametrize(
    ("status", "granted", "locked", "effective"),
    [
        ("active", "billing", False, "billing"),
        ("active", "non_billing", False, "non_billing"),
        ("active", "owner", False, "none"),
        ("active", "", False, "none"),
        ("active", "billing", True, "none"),
        ("invited", "billing", False, "none"),
        ("suspended", "billing", False, "none"),
        ("revoked", "billing", False, "none"),
        ("requested", "billing", False, "none"),
    ],
)
def test_the_effective_level_is_none_unless_everything_is_clear(
    status: str, granted: str, locked: bool, effective: str
) -> None:
    """datamodel.md 6.1, X-14."""
    from infra.ids import uuid7

    grant = Grant(uuid7(), uuid7(), "Alice", "C-1001", granted, status, locked)
    assert level(grant) == effective
    assert may_see_billing(grant).allowed == (effective == "billing")
    assert level(None) == "none"
