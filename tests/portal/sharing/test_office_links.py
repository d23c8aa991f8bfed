"""The office side of links: mail an invoice, copy a link once, revoke what is out (SHARE-03, SHARE-06, AUZ-06)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail

from portal.invoices.models import Invoice
from portal.sharing.models import ShareLink
from tenants.schema.models import AuditEvent, OutboxEvent
from tests.conftest import HostClient
from tests.portal.sharing.making import deliver, make_link


def page_of(number: str = "1042") -> str:
    return f"/office/invoices/{Invoice.objects.get(number=number).pk}/links"


def test_the_office_mails_an_invoice(staff_of: Any, acme: Any, acme_client: HostClient) -> None:
    olive, page = staff_of("owner"), page_of()
    assert "alice@example.com" in olive.get(page).content.decode()
    assert olive.post(f"{page}/mail", {"to": "alice@example.com"}).status_code == 303
    deliver()
    assert [sent.to for sent in mail.outbox] == [["alice@example.com"]]
    html = olive.get(page).content.decode()
    assert "Works" in html
    acme_client.get("/s/" + mail.outbox[0].body.split("/s/")[1].split()[0])
    assert "1 time, last" in olive.get(page).content.decode()
    assert AuditEvent.objects.filter(action="invoice.sent").get().after == {"to": "alice@example.com"}


@pytest.mark.parametrize("to", ["mallory@example.com", "", "bob@example.com"])
def test_an_invoice_goes_to_its_customers_addresses_only(staff_of: Any, acme: Any, to: str) -> None:
    """AUZ-08."""
    staff_of("owner").post(f"{page_of()}/mail", {"to": to})
    assert not OutboxEvent.objects.filter(type="invoice.sent").exists()
    deliver()
    assert mail.outbox == []


def test_a_draft_is_not_sent_and_has_no_link(staff_of: Any, acme: Any) -> None:
    """VIS-08."""
    Invoice.objects.filter(number="1042").update(status="draft")
    olive, page = staff_of("owner"), page_of()
    assert "Customers don’t see this invoice" in olive.get(page).content.decode()
    olive.post(f"{page}/mail", {"to": "alice@example.com"})
    olive.post(f"{page}/copy")
    deliver()
    assert mail.outbox == []
    assert ShareLink.objects.count() == 0


def test_a_copied_link_is_shown_once(staff_of: Any, acme: Any, acme_client: HostClient) -> None:
    """AUZ-06: only its hash is kept, so nobody can read it again."""
    olive, page = staff_of("owner"), page_of()
    made = olive.post(f"{page}/copy").content.decode()
    (path,) = re.findall(r'value="http://acme\.portal\.localhost[:\d]*(/s/[\w-]{43})"', made)
    assert "Invoice 1042" in acme_client.get(path).content.decode()
    assert "/s/" not in olive.get(page).content.decode()


def test_the_office_revokes_a_link(staff_of: Any, acme: Any, acme_client: HostClient) -> None:
    """AUZ-06: in force with the next request."""
    made = make_link()
    olive, page = staff_of("owner"), page_of()
    revoke = f"/office/links/{made.row.pk}/revoke"
    assert revoke in olive.get(page).content.decode()
    assert olive.get(revoke).status_code == 405
    assert olive.post(revoke)["Location"] == page
    assert acme_client.get(f"/s/{made.token}").status_code == 410
    html = olive.get(page).content.decode()
    assert "Revoked" in html
    assert revoke not in html
    olive.post(revoke)
    assert AuditEvent.objects.filter(action="share_link.revoked").count() == 1


def test_who_may_only_read_sends_and_revokes_nothing(staff_of: Any, acme: Any) -> None:
    """datamodel.md 6.5."""
    made, page = make_link(), page_of()
    reader = staff_of("read_only")
    html = reader.get(page).content.decode()
    assert "Send the invoice" not in html
    assert "revoke" not in html
    for path in (f"{page}/mail", f"{page}/copy", f"/office/links/{made.row.pk}/revoke"):
        assert reader.post(path, {"to": "alice@example.com"}).status_code == 403
    assert staff_of("technician").get(page).status_code == 403


def test_so_many_mails_within_an_hour_are_a_mistake(staff_of: Any, acme: Any) -> None:
    olive, page = staff_of("owner"), page_of()
    statuses = [olive.post(f"{page}/mail", {"to": "alice@example.com"}).status_code for _ in range(6)]
    assert statuses == [303] * 5 + [429]
    assert olive.post(f"{page_of('1043')}/mail", {"to": "alice@example.com"}).status_code == 303


def test_the_owner_sets_how_links_behave(staff_of: Any, acme: Any) -> None:
    """C-19: changed in the office, checked, and for owners only."""
    olive, url = staff_of("owner"), "/office/settings/links"
    html = olive.get(url).content.decode()
    (version,) = re.findall(r'name="version" value="(\d+)"', html)
    for wrong in ({"days": "366"}, {"days": "-1"}, {"days": "x"}):
        assert olive.post(url, {"version": version, "estimate_days": "90", **wrong}).status_code == 422
    assert olive.post(url, {"version": version, "days": "30", "estimate_days": "45", "follow": "on"})["Location"] == url
    html = olive.get(url).content.decode()
    assert 'value="30"' in html
    assert 'value="45"' in html
    assert "checked" in html
    olive.post(url, {"version": version, "days": "1", "estimate_days": "45"})
    assert 'value="30"' in olive.get(url).content.decode(), "an old page saves nothing"
    assert staff_of("manager").post(url, {"version": version, "days": "1", "estimate_days": "45"}).status_code == 403
