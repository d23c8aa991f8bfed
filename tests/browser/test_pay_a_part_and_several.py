"""On a phone: a part of one invoice, and several invoices in one payment (PAY-05, PAY-07, PAY-08)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.phones import Phones, in_reach, pay

pytestmark = pytest.mark.browser


def test_alice_pays_a_part(phones: Phones) -> None:
    """PAY-05: the button says what will be charged, and the rest stays due."""
    with phones.alice("part") as alice:
        alice.open("acme", f"/invoices/{phones.live.invoice().pk}")
        in_reach(alice.page.get_by_role("link", name="Pay $412.50"))
        alice.press("Pay $412.50", role="link")
        alice.card_field()
        alice.page.get_by_label("Another amount").check()
        alice.write(re.compile("^Amount$"), "100")
        expect(alice.page.get_by_role("button", name="Pay $100.00")).to_be_visible()
        alice.look("part")
        alice.look_in_the_dark("part")
        pay(alice, "$100.00")
        alice.sees("Paid $100.00")
        alice.reads("$312.50")
        alice.look("paid")
        alice.press("Invoice 1042", role="link")
        in_reach(alice.page.get_by_role("link", name="Pay $312.50"))
        alice.look("rest")
    assert phones.live.charged() == 10000


def test_alice_ticks_two_and_pays_them_at_once(phones: Phones) -> None:
    """PAY-08: one payment, one receipt that names both."""
    with phones.alice("several") as alice:
        alice.open("acme", "/invoices/")
        for box in alice.page.get_by_role("checkbox", name=re.compile("Pay invoice")).all():
            box.check()
        alice.look("ticked")
        alice.press("Pay the ticked ones")
        alice.reads("2 invoices in one payment")
        alice.card_field()
        alice.look("several")
        pay(alice, "$541.50")
        alice.sees("Paid $541.50")
        for number in ("1042", "1043"):
            alice.reads(f"Invoice {number}")
        alice.look("paid")
        alice.press("All invoices", role="link")
        alice.reads("Everything is paid")
    assert phones.live.charged() == 54150
    assert len(phones.live.intents()) == 1
