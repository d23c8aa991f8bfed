"""On a phone: from the mail to a signed estimate, its deposit paid, and the receipt (SHARE-10, EST-03, P-15)."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from portal.sharing.services import send_estimate
from tests.browser.phones import Phones, in_reach, pay
from tests.portal.estimates.making import OLIVE, again, draft, sent, today
from tests.portal.sharing.making import path_in

pytestmark = pytest.mark.browser


def test_pat_approves_from_the_mail_and_pays_the_deposit(phones: Phones) -> None:
    """EST-02, SHARE-10: options to swipe, a total that follows the ticks, a typed name, a card, a receipt."""
    with phones.live.acme():
        estimate = draft()
        send_estimate(estimate_id=estimate.pk, to="alice@example.com", today=today(), by=OLIVE, now=timezone.now())
    phones.live.deliver_mail()
    path = path_in(mail.outbox[-1].body)
    with phones.stranger("estimate") as pat:
        pat.open("acme", path)
        pat.sees("Replace the furnace")
        button = pat.page.get_by_role("button", name="Approve Better, $3,685.00")
        in_reach(button)
        pat.look("options")
        pat.look_in_the_dark("options")
        pat.page.get_by_label("Duct sealing").check()
        expect(pat.page.get_by_role("button", name="Approve Better, $4,105.00")).to_be_visible()
        pat.page.get_by_label("Duct sealing").uncheck()
        button.click()
        pat.sees("Approve and sign")
        pat.reads("$1,105.50")
        pat.look("sign")
        pat.write("Your full name", "Pat Archer")
        pat.page.get_by_label(re.compile("I have read this estimate")).check()
        pat.press("Approve Better, $3,685.00")
        pat.card_field()
        pat.write("Your name", "Pat Archer")
        pat.write("E-mail for the receipt", "pat@example.net")
        pat.look("deposit")
        pay(pat, "$1,105.50")
        pat.sees("Paid $1,105.50")
        pat.look("paid")
        pat.press(f"Deposit on estimate {estimate.number}", role="link")
        pat.reads("Your deposit of $1,105.50 has arrived")
        pat.look("approved")
        pat.look_in_the_dark("approved")
    assert phones.live.charged() == 110550
    phones.live.deliver_mail()
    receipts = [letter for letter in mail.outbox if letter.subject.startswith("Receipt")]
    assert [letter.to for letter in receipts] == [["pat@example.net"]]
    with phones.live.acme():
        assert again(estimate.pk).deposit_paid_cents == 110550


def test_totals_keep_the_spelling_of_the_server_in_spanish(phones: Phones) -> None:
    """The script adds up what is ticked and writes $4,105.00 as every other page does, not 4105,00 US$."""
    with phones.live.acme():
        estimate = sent()
    with phones.alice("estimate-spanish") as alice:
        alice.context.set_extra_http_headers({"Accept-Language": "es"})
        alice.open("acme", f"/estimates/{estimate.pk}")
        totals = alice.page.locator("[data-total]")
        expect(totals).to_have_text(["$3,000.00", "$3,685.00"])
        alice.page.get_by_label("Duct sealing").check()
        expect(totals).to_have_text(["$3,000.00", "$4,105.00"])
        expect(alice.page.locator("#approve")).to_contain_text("$4,105.00")
