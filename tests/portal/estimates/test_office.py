"""The office writes, sends, revises, cancels and invoices estimates (F-15)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from portal.access.models import PortalAccess
from portal.customers.models import Customer
from portal.estimates.models import Estimate, EstimateVersion
from portal.estimates.offer import read_offer
from portal.estimates.services.deciding import answer_estimate, ask_again
from portal.invoices.models import Invoice
from portal.sharing.services import LINKS_PER_HOUR, MAILS_PER_HOUR
from tenants.schema.models import OutboxEvent
from tests.conftest import HostClient
from tests.portal.estimates.making import WHO, approval, approve, draft, offer, sent, today
from tests.portal.sharing.making import deliver

WORDS = {
    "title": "Replace the furnace",
    "summary": "",
    "location": "",
    "tax": "8.25",
    "recommended": "b",
    "deposit": "percent",
    "percent": "30",
    "fixed": "",
    "changes": "",
    "a-rows": "2",
    "a-name": "Good",
    "a0-text": "Furnace",
    "a0-quantity": "1",
    "a0-price": "3,000.00",
    "a1-text": "",
    "b-rows": "3",
    "b-name": "Better",
    "b0-text": "Furnace, two speeds",
    "b0-quantity": "1.5",
    "b0-price": "2000",
    "b1-text": "CO alarm",
    "b1-price": "85",
    "b1-optional": "on",
    "b1-preselected": "on",
    "b2-text": "Utility rebate",
    "b2-price": "-300",
    "c-rows": "0",
}


def new_url() -> str:
    return f"/office/customers/{Customer.objects.get(number='C-1001').pk}/estimate"


def words(**changes: str) -> dict[str, str]:
    return WORDS | {"expires_on": (today() + timedelta(days=10)).isoformat()} | changes


def test_every_field_of_a_line_says_what_it_is(olive: HostClient, acme: Any) -> None:
    """On a phone the heads of the table are gone; the words stand in the label of each field (ui.md 6, 7)."""
    html = olive.get(new_url()).content.decode()
    for name, word in (("text", "What"), ("quantity", "Quantity"), ("price", "Price each"), ("optional", "Optional")):
        (label,) = re.findall(rf'<label[^>]*>(?:(?!</label>).)*name="a0-{name}".*?</label>', html, re.S)
        assert word in label


def test_an_estimate_is_written_without_a_script(olive: HostClient, acme: Any) -> None:
    """F-15: options, optional lines, a rebate, tax and deposit; a draft first (EST-04)."""
    assert "Option 3" in olive.get(new_url()).content.decode()
    answer = olive.post(new_url(), words())
    assert answer.status_code == 303, answer.content.decode()
    estimate = Estimate.objects.get()
    assert (estimate.status, estimate.number, estimate.current) == ("draft", "E-1001", 0)
    what = read_offer(EstimateVersion.objects.get().body)
    good, better = what.options
    assert (what.tax_bps, what.deposit_kind, what.deposit_value) == (825, "percent", 3000)
    assert [line.amount_cents for line in better.lines] == [300000, 8500, -30000]
    assert (good.recommended, better.recommended) == (False, True)
    sums = what.sums(better, better.preselected())
    assert (sums.subtotal_cents, sums.tax_cents) == (278500, 22976)
    html = olive.get(answer["Location"]).content.decode()
    assert "Version 1 is a draft" in html
    assert "$3,014.76" in html


def test_more_lines_are_asked_of_the_server(olive: HostClient, acme: Any) -> None:
    html = olive.post(new_url(), words(more="a")).content.decode()
    assert 'name="a5-text"' in html
    assert "3,000.00" in html
    assert not Estimate.objects.exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"a0-text": "", "a0-price": "", "b0-text": "", "b0-price": ""}, "costs less than nothing"),
        ({"a0-price": ""}, "Look at the lines"),
        ({"percent": ""}, "Say how much"),
        ({"percent": "101"}, "100"),
        ({"expires_on": "2020-01-01"}, "This day is over"),
        ({"title": ""}, "required"),
        ({"b1-price": "-5"}, "A rebate can’t be optional"),
        ({"deposit": "fixed", "fixed": "0.10"}, "At least"),
    ],
)
def test_what_cannot_be_offered_is_said(olive: HostClient, acme: Any, changes: dict[str, str], told: str) -> None:
    answer = olive.post(new_url(), words(**changes))
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Estimate.objects.exists()


def test_sending_mails_a_link_that_shows_it(olive: HostClient, acme: Any, acme_client: HostClient) -> None:
    """SHARE-10, EST-02."""
    estimate = draft()
    url = f"/office/estimates/{estimate.pk}"
    olive.post(f"{url}/mail", {"to": "bob@example.com"})
    assert not OutboxEvent.objects.exists(), "only the customer's own addresses"
    olive.post(f"{url}/mail", {"to": "alice@example.com"})
    deliver()
    (letter,) = mail.outbox
    assert letter.subject == f"Estimate {estimate.number} from Acme Heating & Air: Replace the furnace"
    (path,) = set(re.findall(r"/s/[\w-]{43}", letter.body))
    assert "Smart thermostat" in acme_client.get(path).content.decode()
    html = olive.get(url).content.decode()
    assert "Viewed" in html
    assert "1 time, last" in html


def test_so_many_mails_and_links_within_an_hour_are_a_mistake(olive: HostClient, acme: Any) -> None:
    """As with invoices, for each estimate by itself."""
    url, other = (f"/office/estimates/{draft().pk}" for _ in range(2))
    mails = [olive.post(f"{url}/mail", {"to": "alice@example.com"}).status_code for _ in range(MAILS_PER_HOUR + 1)]
    assert mails == [303] * MAILS_PER_HOUR + [429]
    assert olive.post(f"{other}/mail", {"to": "alice@example.com"}).status_code == 303
    links = [olive.post(f"{url}/copy").status_code for _ in range(LINKS_PER_HOUR + 1)]
    assert links == [200] * LINKS_PER_HOUR + [429]


def test_a_tick_invites_the_reader_too(olive: HostClient, acme: Any) -> None:
    """ENR-25: a mail of its own; who has access already is left alone."""
    PortalAccess.objects.filter(portal_user__email="alice@example.com").delete()
    estimate = draft()
    url = f"/office/estimates/{estimate.pk}"
    assert "Invite to the portal as well" in olive.get(url).content.decode()
    olive.post(f"{url}/mail", {"to": "alice@example.com", "invite": "1"})
    assert PortalAccess.objects.get(portal_user__email="alice@example.com").status == "invited"
    deliver()
    assert sorted(letter.to[0] for letter in mail.outbox) == ["alice@example.com"] * 2
    assert "Invite to the portal as well" not in olive.get(url).content.decode()


def test_who_is_locked_out_is_not_invited_and_gets_the_estimate(olive: HostClient, acme: Any) -> None:
    PortalAccess.objects.filter(portal_user__email="alice@example.com").delete()
    Customer.objects.filter(number="C-1001").update(portal_locked=True)
    olive.post(f"/office/estimates/{draft().pk}/mail", {"to": "alice@example.com", "invite": "1"})
    deliver()
    assert [letter.to for letter in mail.outbox] == [["alice@example.com"]]
    assert not PortalAccess.objects.filter(portal_user__email="alice@example.com").exists()


def test_what_has_expired_is_not_sent(olive: HostClient, acme: Any) -> None:
    """EST-06."""
    url = f"/office/estimates/{draft(days=-1).pk}"
    for path in ("mail", "copy"):
        olive.post(f"{url}/{path}", {"to": "alice@example.com"})
        assert "Its last day is over." in olive.get(url).content.decode()
    assert not OutboxEvent.objects.exists()
    assert Estimate.objects.get().status == "draft"


def test_the_next_version_stays_hidden_until_it_is_sent(olive: HostClient, acme: Any) -> None:
    """datamodel.md 6.3: unsent versions never."""
    estimate = sent()
    url = f"/office/estimates/{estimate.pk}"
    assert "What is different in this version" in olive.get(f"{url}/edit").content.decode()
    olive.post(f"{url}/edit", words(changes="A rebate"))
    found = Estimate.objects.get()
    assert (found.current, found.title, EstimateVersion.objects.count()) == (1, "Replace the furnace", 2)
    olive.post(f"{url}/mail", {"to": "alice@example.com"})
    deliver()
    assert Estimate.objects.get().current == 2
    first, second = EstimateVersion.objects.order_by("n")
    assert first.superseded_at is not None
    assert len(second.content_hash) == 64
    assert "A newer version" in mail.outbox[0].subject
    assert "A rebate" in mail.outbox[0].body


def test_the_office_is_told_what_the_customer_said(acme: Any) -> None:
    """The signed copy goes to the signer."""
    estimate = approve(sent())
    deliver()
    by_address = {letter.to[0]: letter for letter in mail.outbox}
    assert by_address["olive@acme.example"].subject == f"Alice Archer approved estimate {estimate.number}"
    signed = by_address["alice@example.com"]
    assert "$1,105.50" in signed.body
    assert signed.attachments[0].filename == f"estimate-{estimate.number}.pdf"
    deliver()
    assert len(mail.outbox) == 2


def test_the_office_is_told_that_an_expired_one_is_wanted_anew(staff_of: Any, acme: Any) -> None:
    """EST-06: those who send estimates, and nobody else of the office."""
    staff_of("csr"), staff_of("accountant")
    estimate = sent()
    ask_again(estimate=estimate, who=WHO, today=today() + timedelta(days=60), now=timezone.now())
    deliver()
    assert {letter.to[0] for letter in mail.outbox} == {"olive@acme.example", "csr@acme.example"}
    assert mail.outbox[0].subject == f"Alice Archer wants estimate {estimate.number} anew"


def test_an_answered_estimate_shows_what_was_left_out_and_offers_no_link(olive: HostClient, acme: Any) -> None:
    estimate = sent()
    page = f"/office/estimates/{estimate.pk}"
    waiting = olive.get(page).content.decode()
    assert "Links that are out" in waiting
    assert ">optional<" in waiting
    approve(estimate)
    answered = olive.get(page).content.decode()
    assert ">left out<" in answered
    assert ">chosen<" in answered
    assert ">optional<" not in answered
    assert "Links that are out" not in answered, "nothing can be sent any more, and nothing was"


def test_who_writes_the_next_version_reads_first_what_is_wanted(olive: HostClient, acme: Any) -> None:
    estimate = sent()
    answer_estimate(
        estimate_id=estimate.pk,
        kind="request_changes",
        version=1,
        reason="No thermostat",
        name="Alice Archer",
        who=WHO,
        today=today(),
        now=timezone.now(),
    )
    html = olive.get(f"/office/estimates/{estimate.pk}").content.decode()
    assert html.count("What the customer said") == 1
    assert html.index("No thermostat") < html.index("Furnace 80%")


def test_an_approved_estimate_becomes_an_invoice(olive: HostClient, acme: Any) -> None:
    estimate = approve(sent(what=offer(tax=825)), approval(total=398901))
    url = f"/office/estimates/{estimate.pk}/invoice"
    assert "Make an invoice" in olive.get(url).content.decode()
    assert olive.post(url, {"number": "1042"}).status_code == 422, "the number is taken"
    assert olive.post(url, {"number": "5001"}).status_code == 303
    invoice = Invoice.objects.get(number="5001")
    assert (invoice.total_cents, invoice.tax_cents) == (398901, 30401)
    assert [line["description"] for line in invoice.lines][-1] == "CO alarm"
    olive.post(url, {"number": "5002"})
    assert not Invoice.objects.filter(number="5002").exists()


@pytest.mark.parametrize(
    ("role", "sees", "writes", "ends"),
    [
        ("owner", 200, 200, 200),
        ("manager", 200, 200, 200),
        ("csr", 200, 200, 403),
        ("accountant", 200, 403, 403),
        ("read_only", 200, 403, 403),
        ("dispatcher", 403, 403, 403),
        ("technician", 403, 403, 403),
    ],
)
def test_roles_do_what_the_table_says(staff_of: Any, acme: Any, role: str, sees: int, writes: int, ends: int) -> None:
    """datamodel.md 6.5."""
    estimate = sent()
    browser, url = staff_of(role), f"/office/estimates/{estimate.pk}"
    assert browser.get("/office/estimates").status_code == sees
    assert browser.get(url).status_code == sees
    assert browser.get(f"{url}/edit").status_code == writes
    assert browser.get(f"{url}/cancel").status_code == ends
    assert browser.get(f"{url}/invoice").status_code == ends
    if writes == 403:
        assert browser.post(f"{url}/mail", {"to": "alice@example.com"}).status_code == 403
        assert browser.post(f"{url}/copy").status_code == 403


def test_a_canceled_estimate_is_gone_for_customers(olive: HostClient, acme: Any, acme_client: HostClient) -> None:
    """VIS-04: its links end too."""
    estimate = sent()
    made = olive.post(f"/office/estimates/{estimate.pk}/copy").content.decode()
    (path,) = re.findall(r'value="http://acme\.portal\.localhost[:\d]*(/s/[\w-]{43})"', made)
    assert acme_client.get(path).status_code == 200
    assert olive.post(f"/office/estimates/{estimate.pk}/cancel").status_code == 303
    answer = acme_client.get(path)
    assert answer.status_code == 410
    assert "This estimate was withdrawn" in answer.content.decode()
    assert acme_client.get(f"{path}/approve").status_code == 410
