"""On a phone: the payer's bank asks in its own window, from the portal and from a link (3-D Secure, F8, F14)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.phones import ASKS, Phones, bank, pay
from tests.portal.sharing.making import make_link

pytestmark = pytest.mark.browser


def test_alice_follows_her_banks_steps(phones: Phones) -> None:
    with phones.alice("bank") as alice:
        alice.open("acme", f"/pay/{phones.live.invoice().pk}")
        pay(alice, "$412.50", ASKS)
        bank(alice).get_by_role("button", name="Complete").click()
        alice.sees("Paid $412.50")
        alice.look("paid")
    assert phones.live.charged() == 41250


def test_pat_fails_at_the_bank_and_pays_with_another_card(phones: Phones) -> None:
    """F8: back on the link's own pay page with the reason; nothing was charged."""
    made = make_link()
    with phones.stranger("bank-share") as pat:
        pat.open("acme", f"/s/{made.token}/pay")
        pat.card_field()
        pat.write("Your name", "Pat Payer")
        pat.write("E-mail for the receipt", "pat@example.net")
        pay(pat, "$412.50", ASKS)
        bank(pat).get_by_role("button", name="Fail").click()
        expect(pat.page.get_by_text("Your bank couldn’t check that it’s you")).to_be_visible()
        pat.look("failed")
        assert phones.live.charged() == 0
        pat.write("Your name", "Pat Payer")
        pat.write("E-mail for the receipt", "pat@example.net")
        pay(pat, "$412.50")
        pat.sees("Paid $412.50")
    assert phones.live.charged() == 41250
