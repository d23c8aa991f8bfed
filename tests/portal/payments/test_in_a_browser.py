"""Paying in a real browser under the real content security policy, with the card typed into Stripe's own frame."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Page, Request, expect

from portal.accounts.client import Client
from portal.accounts.models import PortalUser
from portal.accounts.sessions import cookie_name, start_session
from tests.cast import ACME
from tests.chromium import chromium

from .bench import CREATE, Bench

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("PAYMENT_SHOTS", "")
CARD, DECLINED, ASKS = "4242424242424242", "4000000000009995", "4000000000003220"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one Chromium for the module."""
    # Its event loop would make Django refuse the database on this thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with chromium() as started:
        yield started
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Visit:
    """A signed-in browser, everything it posted to us and every complaint of its console."""

    def __init__(self, browser: Browser, live: Bench) -> None:
        self.live = live
        self.origin = f"http://acme.portal.localhost:{live.port}"
        with live.acme():
            alice = PortalUser.objects.get(email="alice@example.com")
            client = Client(None, "test", "")
            session = start_session(user=alice, tenant_id=ACME, client=client, now=timezone.now())
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.context.add_cookies([{"name": cookie_name(), "value": session.token, "url": self.origin}])
        self.posted: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("request", self._note_request)
        self.page.on("console", self._note_message)

    def _note_request(self, request: Request) -> None:
        if request.method == "POST" and request.url.startswith(self.origin):
            self.posted.append(request.post_data or "")

    def _note_message(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or message.type == "error":
            self.complaints.append(message.text)

    def open(self) -> FrameLocator:
        """Open the pay page and return the card field."""
        self.page.goto(f"{self.origin}/pay/{self.live.invoice().pk}")
        expect(self.page.locator("#payment-element")).not_to_have_attribute("aria-busy", "true")
        return self.page.frame_locator('iframe[title="Secure payment input frame"]')

    def pay(self, card: FrameLocator, number: str = CARD) -> None:
        """Type a card and press the button."""
        for name, value in {"cardnumber": number, "exp-date": "1234", "cvc": "123", "postal": "12345"}.items():
            card.locator(f'input[name="{name}"]').fill("")
            card.locator(f'input[name="{name}"]').press_sequentially(value)
        self.page.get_by_role("button", name="Pay $412.50").click()

    def is_accessible(self) -> bool:
        """Whether the automatic accessibility check finds nothing (ui.md 7); Stripe's frame is Stripe's."""
        found = Axe().run(self.page, context={"exclude": [["#payment-element"]]})
        assert found.response["violations"] == [], found.generate_report()
        return True

    def shoot(self, name: str) -> None:
        """Keep a picture where PAYMENT_SHOTS says."""
        if SHOTS:
            self.page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.fixture
def visit(browser: Browser, live: Bench) -> Iterator[Visit]:
    """Open a browser; afterwards nothing it posted to us may be a card number, and no policy was broken."""
    opened = Visit(browser, live)
    yield opened
    opened.context.close()
    for body in opened.posted:
        digits = re.sub(r"[\s+%20-]", "", body)
        assert not any(number in digits for number in (CARD, DECLINED, ASKS)), "PAY-01"
    assert [text for text in opened.complaints if "402" not in text] == []


def test_a_card_pays(visit: Visit) -> None:
    """PAY-01, PAY-02: the card goes to the other origin, the token comes to us."""
    card = visit.open()
    visit.shoot("pay")
    assert visit.is_accessible()
    visit.pay(card)
    expect(visit.page.get_by_role("heading", name="Paid $412.50")).to_be_visible()
    expect(visit.page.get_by_text("Visa ending 4242")).to_be_visible()
    visit.shoot("paid")
    assert visit.is_accessible()
    assert len(visit.posted) == 1
    assert visit.live.charged() == 41250


def test_a_decline_keeps_the_card_form_and_another_card_pays(visit: Visit) -> None:
    """F8."""
    card = visit.open()
    visit.pay(card, DECLINED)
    expect(visit.page.get_by_text("There isn’t enough money on this card")).to_be_visible()
    visit.shoot("declined")
    assert visit.is_accessible()
    visit.pay(card)
    expect(visit.page.get_by_role("heading", name="Paid $412.50")).to_be_visible()
    assert visit.live.charged() == 41250


@pytest.mark.parametrize("answer", ["Complete", "Fail"])
def test_the_bank_asks_in_its_own_window(visit: Visit, answer: str) -> None:
    card = visit.open()
    visit.pay(card, ASKS)
    bank = visit.page.frame_locator('iframe[title="Payment authentication"]')
    expect(bank.get_by_role("button", name=answer)).to_be_visible()
    visit.shoot("bank")
    bank.get_by_role("button", name=answer).click()
    if answer == "Complete":
        expect(visit.page.get_by_role("heading", name="Paid $412.50")).to_be_visible()
        assert visit.live.charged() == 41250
        return
    expect(visit.page.get_by_text("Your bank couldn’t check that it’s you")).to_be_visible()
    visit.shoot("bank_failed")
    visit.pay(visit.page.frame_locator('iframe[title="Secure payment input frame"]'))
    expect(visit.page.get_by_role("heading", name="Paid $412.50")).to_be_visible()
    assert visit.live.charged() == 41250


def test_impatient_clicks_pay_once(visit: Visit) -> None:
    """F5."""
    card = visit.open()
    for name, value in {"cardnumber": CARD, "exp-date": "1234", "cvc": "123", "postal": "12345"}.items():
        card.locator(f'input[name="{name}"]').press_sequentially(value)
    visit.page.evaluate("() => { const b = document.getElementById('pay-button'); b.click(); b.click(); b.click(); }")
    expect(visit.page.get_by_role("heading", name="Paid $412.50")).to_be_visible()
    assert len(visit.posted) == 1
    assert visit.live.charged() == 41250


def test_an_unknown_answer_resolves_before_the_payers_eyes(visit: Visit) -> None:
    """F1: the page polls and turns into the receipt."""
    card = visit.open()
    visit.live.break_api("503", path=CREATE, times=6)
    visit.pay(card)
    expect(visit.page.get_by_role("heading", name="We’re checking with your bank")).to_be_visible(timeout=60_000)
    visit.shoot("checking")
    expect(visit.page.get_by_role("heading", name="Paid $412.50")).to_be_visible(timeout=60_000)
    assert visit.live.charged() == 41250
    visit.complaints[:] = [text for text in visit.complaints if "503" not in text]


def test_on_a_phone_at_dusk(visit: Visit) -> None:
    """The same page at 390 pixels, dark: one column, the button in reach, nothing wider than the screen."""
    visit.page.set_viewport_size({"width": 390, "height": 844})
    visit.page.emulate_media(color_scheme="dark")
    visit.open()
    visit.shoot("pay_phone")
    assert visit.is_accessible()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(visit.page.get_by_role("button", name="Pay $412.50")).to_be_in_viewport()
