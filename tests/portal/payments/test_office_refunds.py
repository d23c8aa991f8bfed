"""The office's pages about payments and refunds, as a browser sees them."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.accounts.client import Client as Browser
from portal.accounts.models import StaffUser
from portal.accounts.staff_sessions import cookie_name, start_session
from portal.payments.models import Refund
from tenants.schema.models import AuditEvent
from tests.cast import ACME, NOW
from tests.conftest import HostClient

from .bench import Bench, later


def office(bench: Bench, role: str = "owner") -> HostClient:
    """Return the browser of Olive, or of a new colleague with another role."""
    with bench.acme():
        if role == "owner":
            staff = StaffUser.objects.get(email="olive@acme.example")
        else:
            staff = StaffUser.objects.create(
                email=f"{role}@acme.example", name=role, role=role, status="active", created_at=NOW
            )
        client = Browser("203.0.113.9", "test", "")
        _session, token = start_session(staff=staff, tenant_id=ACME, client=client, now=later())
    browser = HostClient("acme.portal.localhost")
    browser.cookies[cookie_name()] = token
    return browser


def url_of(bench: Bench) -> str:
    """Return the address of the one payment."""
    return f"/office/payments/received/{bench.payments()[0].pk}"


def fields_of(html: str) -> dict[str, Any]:
    """Return what the refund form would send as it stands."""
    form = html[html.index('<form class="stack" method="post"') :]
    fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form))
    fields |= {"effect": "reopen", "reason": "requested_by_customer", "note": ""}
    return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}


def test_the_office_refunds_in_two_steps(bench: Bench) -> None:
    """PAY-16: the form proposes everything, the next page says what will happen, only then money moves."""
    bench.pay("1042")
    browser, url = office(bench), url_of(bench)
    assert "Refund…" in browser.get(url).content.decode()
    form = fields_of(browser.get(f"{url}/refund").content.decode())
    assert form["amount_0"] == "412.50"
    form |= {"amount_0": "100", "note": "compressor"}
    asked = browser.post(f"{url}/refund", form).content.decode()
    assert "Refund $100.00 to Alice Archer?" in asked
    assert "Invoice 1042 is due again by $100.00." in asked
    assert bench.refunds() == []
    assert browser.post(f"{url}/refund", {**form, "confirm": "1"})["Location"] == url
    html = browser.get(url).content.decode()
    for shown in ("Partly refunded", "compressor", "-$100.00", "$312.50"):
        assert shown in html
    with bench.acme():
        row = AuditEvent.objects.get(action="refund.requested")
        assert (row.actor_kind, row.after and row.after["amount_cents"]) == ("staff", 10000)


def test_the_confirmation_sent_twice_refunds_once(bench: Bench) -> None:
    bench.pay("1042")
    browser, url = office(bench), url_of(bench)
    form = {**fields_of(browser.get(f"{url}/refund").content.decode()), "amount_0": "100", "confirm": "1"}
    for _ in range(2):
        assert browser.post(f"{url}/refund", form).status_code == 303
    assert [r.amount_cents for r in bench.refunds()] == [10000]


@pytest.mark.parametrize("amount", ["412.51", "-1", "0", "", "abc", "1e9", "1.005"])
def test_an_amount_that_makes_no_sense_is_explained(bench: Bench, amount: str) -> None:
    """F19: refused on the page; nothing is written."""
    bench.pay("1042")
    browser, url = office(bench), url_of(bench)
    form = {**fields_of(browser.get(f"{url}/refund").content.decode()), "amount_0": amount, "confirm": "1"}
    answer = browser.post(f"{url}/refund", form)
    assert answer.status_code == 422
    assert 'class="field__error"' in answer.content.decode()
    assert bench.refunds() == []


@pytest.mark.parametrize("role", ["csr", "dispatcher", "technician", "read_only"])
def test_only_who_manages_invoices_can_refund(bench: Bench, role: str) -> None:
    """PAY-16, datamodel.md 6.5: the button is not shown, and the address refuses."""
    bench.pay("1042")
    browser, url = office(bench, role), url_of(bench)
    assert "Refund…" not in browser.get(url).content.decode()
    form = {"form_key": str(uuid4()), "amount_0": "1", "effect": "reopen", "reason": "goodwill", "confirm": "1"}
    assert browser.get(f"{url}/refund").status_code == 403
    assert browser.post(f"{url}/refund", form).status_code == 403
    assert bench.refunds() == []


def test_an_accountant_may_refund(bench: Bench) -> None:
    bench.pay("1042")
    browser, url = office(bench, "accountant"), url_of(bench)
    form = {**fields_of(browser.get(f"{url}/refund").content.decode()), "confirm": "1"}
    assert browser.post(f"{url}/refund", form).status_code == 303
    assert bench.refunds()[0].state == Refund.State.SUCCEEDED


def test_a_fully_refunded_payment_offers_no_refund(bench: Bench) -> None:
    bench.pay("1042")
    bench.refund()
    browser, url = office(bench), url_of(bench)
    assert "Refund…" not in browser.get(url).content.decode()
    assert browser.get(f"{url}/refund")["Location"] == url


def test_the_list_finds_what_was_refunded(bench: Bench) -> None:
    bench.pay("1042")
    bench.pay("1043")
    browser = office(bench)
    html = browser.get("/office/payments/received").content.decode()
    assert html.count("Alice Archer") == 2
    assert "No payment is in this list" in browser.get("/office/payments/received?show=refunded").content.decode()
    bench.refund(payment=bench.payments()[1])
    html = browser.get("/office/payments/received?show=refunded").content.decode()
    assert (html.count("Alice Archer"), "$129.00" in html) == (1, True)


def test_a_payment_of_nobody_is_not_found(bench: Bench) -> None:
    browser = office(bench)
    unknown = UUID(int=7)
    assert browser.get(f"/office/payments/received/{unknown}").status_code == 404
    assert browser.get(f"/office/payments/received/{unknown}/refund").status_code == 404


def test_the_customer_sees_the_refund(bench: Bench) -> None:
    """The invoice and the receipt say what went back and what is due again."""
    bench.pay("1042")
    bench.refund(10000)
    browser = bench.browser()
    html = browser.get(f"/invoices/{bench.invoice().pk}").content.decode()
    assert "Refunded to Visa ending 4242" in html
    assert "-$100.00" in html
    with bench.acme():
        attempt = bench.payments()[0].attempt_id
    receipt = browser.get(f"/pay/result/{attempt}").content.decode()
    assert "Refunded" in receipt
    assert "$100.00" in receipt
