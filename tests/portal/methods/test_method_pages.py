"""The page of methods on file, what the office sees and asks for, warnings of expiry (P-11, CARD-04, CARD-08…09)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail

from portal.access.models import PortalAccess
from portal.customers.models import Customer
from portal.methods.expiry import warn_of_expiries
from portal.payments.models import PaymentMethod
from tenants.schema.models import OutboxEvent
from tests.cast import STAFF_PASSWORD
from tests.conftest import HostClient
from tests.portal.payments.bench import Bench, later

from .keeping import at_stripe, choose, keep, methods

LIST = "/pay/methods/"


def form_key(html: str) -> str:
    return str(re.findall(r'name="form_key" value="([^"]+)"', html)[0])


def test_the_page_lists_and_changes_what_is_on_file(bench: Bench) -> None:
    """CARD-01…03: add, default, replace and remove by plain forms."""
    browser = bench.browser()
    assert "Nothing on file yet" in browser.get(LIST).content.decode()
    page = browser.get("/pay/methods/add")
    assert bench.running.double.base_url in page["Content-Security-Policy"]
    added = browser.post("/pay/methods/add", {"form_key": form_key(page.content.decode()), "token": bench.token()})
    assert browser.get(added["Location"])["Location"] == LIST
    other = keep(bench, "pm_usBankAccount_success").row
    html = browser.get(LIST).content.decode()
    for text in ("Visa ending 4242", "Expires 12/34", "Bank account ending 6789", "is on file."):
        assert text in html
    browser.post(f"/pay/methods/{other.pk}/default")
    assert [row.is_default for row in methods(bench)] == [False, True]
    (card, _) = methods(bench)
    replacing = browser.get(f"/pay/methods/{card.pk}/replace").content.decode()
    assert "Replace Visa ending 4242" in replacing
    token = bench.token("pm_card_mastercard")
    browser.post(f"/pay/methods/{card.pk}/replace", {"form_key": form_key(replacing), "token": token})
    assert "Remove Bank account ending 6789?" in browser.get(f"/pay/methods/{other.pk}/remove").content.decode()
    browser.post(f"/pay/methods/{other.pk}/remove")
    bench.deliver_mail()
    assert at_stripe(bench) == ["4444"]


def test_a_decline_is_explained_and_the_form_stays(bench: Bench) -> None:
    browser = bench.browser()
    key = form_key(browser.get("/pay/methods/add").content.decode())
    token = bench.token("pm_card_chargeDeclinedInsufficientFunds")
    answer = browser.post("/pay/methods/add", {"form_key": key, "token": token}, headers={"accept": "application/json"})
    assert answer.status_code == 402
    said = answer.json()
    assert said["title"] == "There isn’t enough money on this card"
    assert said["form_key"] != key


@pytest.mark.parametrize(
    ("off", "closed", "open_"),
    [
        ({"sections__payment_methods": "hide"}, ("", "add", "{id}/replace", "{id}/remove"), ()),
        ({"cards__allow_add": False}, ("add", "{id}/replace"), ("", "{id}/remove")),
        ({"cards__allow_delete": False}, ("{id}/remove",), ("", "add", "{id}/replace")),
    ],
)
def test_each_action_has_its_setting(bench: Bench, off: Any, closed: tuple[str, ...], open_: tuple[str, ...]) -> None:
    """CARD-08, CARD-09: what is off is not found, and its POST does nothing."""
    row = keep(bench).row
    choose(bench, **off)
    browser = bench.browser()
    for path in closed:
        url = LIST + path.format(id=row.pk)
        assert browser.get(url).status_code == 404
        assert browser.post(url, {"form_key": "", "token": "ctoken_x"}).status_code in (404, 405)
    for path in open_:
        assert browser.get(LIST + path.format(id=row.pk)).status_code == 200
    assert [row.state for row in methods(bench)] == ["active"]
    assert ("Cards and bank accounts" in browser.get("/").content.decode()) == ("" not in closed)


def test_who_may_not_see_billing_sees_no_cards(bench: Bench) -> None:
    """VIS-12."""
    row = keep(bench).row
    with bench.acme():
        PortalAccess.objects.filter(customer__number="C-1001").update(level="non_billing")
    browser = bench.browser()
    for path in ("", "add", f"{row.pk}/replace", f"{row.pk}/remove"):
        assert browser.get(LIST + path).status_code == 404


def test_another_customers_card_is_not_found(bench: Bench) -> None:
    """AUZ-02: alike for unknown and forbidden."""
    bobs = keep(bench, user="bob@example.com").row
    browser = bench.browser()
    assert "4242" not in browser.get(LIST).content.decode()
    assert browser.get(f"/pay/methods/added/{bobs.pk}").status_code == 404
    for path in ("remove", "default", "replace"):
        assert browser.post(f"/pay/methods/{bobs.pk}/{path}").status_code == 404
    assert [row.state for row in methods(bench)] == ["active"]


def test_what_waits_for_verification_says_so(bench: Bench) -> None:
    """CARD-07."""
    row = keep(bench, "pm_usBankAccount_microdeposits").row
    browser = bench.browser()
    html = browser.get(f"/pay/methods/added/{row.pk}").content.decode()
    assert "One more step: verify the account" in html
    html = browser.get(LIST).content.decode()
    assert "Waits for verification" in html
    assert row.verify_url in html


def warned(bench: Bench, month: int, year: int, now: datetime) -> list[str]:
    """Return the subjects of the warnings of a card, after two rounds of the clock."""
    with bench.acme() as context:
        PaymentMethod.objects.update(exp_month=month, exp_year=year)
        for _ in range(2):
            warn_of_expiries(context=context, now=now)
        # The outbox waits for the day of the test; its worker does not.
        OutboxEvent.objects.filter(type="payment_method.expires").update(next_at=later())
    mail.outbox.clear()
    bench.deliver_mail()
    return [str(m.subject) for m in mail.outbox if "expires" in m.subject]


def test_a_card_is_warned_of_thirty_and_seven_days_before(bench: Bench) -> None:
    """cards.expiry_notice: each once; the mail leads to the page that replaces it."""
    keep(bench)
    bench.deliver_mail()
    assert warned(bench, 1, 2027, datetime(2026, 12, 31, 18, tzinfo=UTC)) == []
    told = ["Visa ending 4242 expires on Sunday 31 January"]
    assert warned(bench, 1, 2027, datetime(2027, 1, 2, 18, tzinfo=UTC)) == told
    assert "/l/" in str(mail.outbox[0].body)
    assert warned(bench, 1, 2027, datetime(2027, 1, 20, 18, tzinfo=UTC)) == []
    assert warned(bench, 1, 2027, datetime(2027, 1, 25, 18, tzinfo=UTC)) == told
    assert warned(bench, 1, 2027, datetime(2027, 1, 30, 18, tzinfo=UTC)) == []


def test_without_the_setting_nobody_is_warned(bench: Bench) -> None:
    keep(bench)
    bench.deliver_mail()
    choose(bench, cards__expiry_notice=False)
    assert warned(bench, 1, 2027, datetime(2027, 1, 2, 18, tzinfo=UTC)) == []


def office(bench: Bench) -> HostClient:
    client = HostClient("acme.portal.localhost")
    client.post("/office/sign-in", {"email": "olive@acme.example", "password": STAFF_PASSWORD})
    return client


def test_the_office_sees_methods_and_asks_for_one_by_link(bench: Bench) -> None:
    """CARD-04: the link signs in and leads to the form; asking twice in an hour mails once."""
    keep(bench)
    bench.deliver_mail()
    mail.outbox.clear()
    with bench.acme():
        alice = Customer.objects.get(number="C-1001").pk
    olive = office(bench)
    html = olive.get(f"/office/customers/{alice}").content.decode()
    assert "Visa ending 4242" in html
    for _ in range(2):
        answer = olive.post(f"/office/customers/{alice}/ask-for-card", follow=True)
        assert "Asked alice@example.com by mail." in answer.content.decode()
    bench.deliver_mail()
    (asked,) = mail.outbox
    assert asked.to == ["alice@example.com"]
    link = re.findall(r"http://[^\s]+/l/[^\s]+", str(asked.body))[0]
    stranger = HostClient("acme.portal.localhost")
    path = "/" + link.split("/", 3)[3]
    assert stranger.get(path).status_code == 200
    assert stranger.post(path)["Location"] == "/pay/methods/add"
    assert stranger.get("/pay/methods/add").status_code == 200


def test_the_office_is_told_when_nobody_can_be_asked(bench: Bench) -> None:
    with bench.acme():
        bob = Customer.objects.get(number="C-1002").pk
        PortalAccess.objects.filter(customer_id=bob).update(status="revoked", revoked_at=later())
    answer = office(bench).post(f"/office/customers/{bob}/ask-for-card", follow=True)
    assert "Invite somebody first" in answer.content.decode()


def test_the_owner_changes_what_customers_may_do(bench: Bench) -> None:
    """PAY-04, CARD-06, CARD-08, CARD-09."""
    olive = office(bench)
    html = olive.get("/office/payments/methods").content.decode()
    version = re.findall(r'name="version" value="(\d+)"', html)[0]
    given = {"version": version, "methods": ["card"], "told": "a@b.example"}
    assert olive.post("/office/payments/methods", {**given, "told": "nonsense"}).status_code == 422
    assert olive.post("/office/payments/methods", {**given, "methods": []}).status_code == 422
    assert olive.post("/office/payments/methods", given).status_code == 303
    assert bench.browser().get(LIST).status_code == 404
    with bench.acme() as context:
        from tenants.config.registry import CARD_CHANGES, PAY_METHODS

        assert context.settings.get(PAY_METHODS) == ["card"]
        assert context.settings.get(CARD_CHANGES) == "a@b.example"
