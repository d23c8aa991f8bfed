"""On a phone: from the link to "paid" without signing in, and a link that has ended (SHARE-06, SHARE-09, P-34)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from portal.accounts.sessions import cookie_name
from tests.browser.phones import DECLINED, Phones, forgive, in_reach, pay
from tests.portal.sharing.making import mail_invoice, make_link

pytestmark = pytest.mark.browser


def test_pat_pays_from_the_link(phones: Phones) -> None:
    """SHARE-07, SHARE-09, F8: one invoice, a declined card and then another; the receipt goes where Pat says."""
    path = mail_invoice()
    token = path.removeprefix("/s/")
    with phones.stranger("share") as pat:
        pat.open("acme", path)
        pat.sees("Service call 1042")
        pat.look("link")
        pat.look_in_the_dark("link")
        in_reach(pat.page.get_by_role("link", name="Pay $412.50"))
        pat.press("Pay $412.50", role="link")
        assert token not in pat.page.url
        pat.card_field()
        pat.write("Your name", "Pat Payer")
        pat.write("E-mail for the receipt", "pat@example.net")
        pat.look("pay")
        pay(pat, "$412.50", DECLINED)
        expect(pat.page.locator("#payment-error")).to_be_visible()
        pat.look("declined")
        forgive(pat, 402)
        pay(pat, "$412.50")
        pat.sees("Paid $412.50")
        expect(pat.page.get_by_role("link", name="All invoices")).to_have_count(0)
        pat.look("paid")
        pat.press("Invoice 1042", role="link")
        expect(pat.page.get_by_text("To pay")).to_be_visible()
        expect(pat.page.get_by_role("link", name=re.compile("^Pay"))).to_have_count(0)
        assert cookie_name() not in {str(cookie.get("name")) for cookie in pat.context.cookies()}, "nobody signed in"
        stripe = {phones.live.running.double.port, phones.live.running.double.element_port}
        told = [url for _page, url in pat.requests if any(f":{port}" in url for port in stripe)]
        assert told
        assert not [url for url in told if token in url]
        pat.press("See everything: sign in", role="link")
        pat.reads("Send me a sign-in link")
    assert phones.live.charged() == 41250
    phones.live.deliver_mail()
    assert mail.outbox[-1].to == ["pat@example.net"]
    assert token not in repr(phones.live.control("state"))


def test_an_ended_link_sends_a_fresh_one(phones: Phones) -> None:
    """datamodel.md 4.16: by a button, to where the old one went."""
    made = make_link(days=1, now=timezone.now() - timedelta(days=3))
    with phones.stranger("share-ended") as pat:
        pat.open("acme", f"/s/{made.token}")
        pat.sees("This link has ended")
        forgive(pat, 410)
        pat.look("ended")
        pat.press("Send a fresh one to a•••@example.com")
        pat.sees("We’ve sent you a fresh link")
        pat.look("sent")
        phones.live.deliver_mail()
        pat.open("acme", "/s/" + mail.outbox[-1].body.split("/s/")[1].split()[0])
        pat.sees("Service call 1042")
