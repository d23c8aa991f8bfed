"""Keeping a card and paying with it on a phone: three taps from the mail to "Paid" (PAY-10, PAY-01, CARD-01)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core import mail
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from tests.portal.autopay.allowing import allow, run
from tests.portal.payments.bench import Bench
from tests.portal.payments.test_in_a_browser import CARD, Visit, browser

from .keeping import keep, methods

__all__ = ["browser"]
pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def visit(browser: Browser, live: Bench) -> Iterator[Visit]:
    """Open a phone; afterwards nothing it posted to us may be a number, and no policy was broken."""
    opened = Visit(browser, live)
    opened.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    yield opened
    opened.context.close()
    for body in opened.posted:
        digits = re.sub(r"[\s+%20-]", "", body)
        assert not any(number in digits for number in (CARD, "000123456789")), "PAY-01"
    assert [text for text in opened.complaints if "402" not in text] == []


def frame_of(page: Page) -> FrameLocator:
    expect(page.locator("#payment-element")).not_to_have_attribute("aria-busy", "true")
    return page.frame_locator('iframe[title="Secure payment input frame"]')


def type_card(page: Page, number: str = CARD) -> None:
    frame = frame_of(page)
    for name, value in {"cardnumber": number, "exp-date": "1234", "cvc": "123", "postal": "12345"}.items():
        frame.locator(f'input[name="{name}"]').press_sequentially(value)


def type_bank(page: Page, account: str = "000123456789") -> None:
    frame = frame_of(page)
    frame.get_by_label("US bank account").check()
    for name, value in {"name": "Alice Archer", "routingnumber": "110000000", "accountnumber": account}.items():
        frame.locator(f'input[name="{name}"]').press_sequentially(value)


# Buttons near the frame are pressed by keyboard: right after scrolling the headless browser may hand a click to it.
def test_a_card_is_added_replaced_and_removed(visit: Visit) -> None:
    """CARD-01…03."""
    page = visit.page
    page.goto(f"{visit.origin}/pay/methods/add")
    type_card(page)
    visit.shoot("method_add")
    assert visit.is_accessible()
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("Visa ending 4242 is on file.")).to_be_visible()
    visit.shoot("methods")
    assert visit.is_accessible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("link", name="Replace Visa ending 4242").click()
    type_card(page, "5555555555554444")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("Mastercard ending 4444 is on file.")).to_be_visible()
    page.get_by_role("link", name="Remove Mastercard ending 4444").click()
    assert visit.is_accessible()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nothing on file yet")).to_be_visible()
    assert [row.state for row in methods(visit.live)] == ["detached", "detached"]


def test_the_bank_asks_before_a_card_is_kept(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.origin}/pay/methods/add")
    type_card(page, "4000000000003220")
    page.get_by_role("button", name="Save").press("Enter")
    bank = page.frame_locator('iframe[title="Payment authentication"]')
    bank.get_by_role("button", name="Complete").click()
    expect(page.get_by_text("Visa ending 3220 is on file.")).to_be_visible()


def test_three_taps_lead_from_the_mail_to_paid(visit: Visit) -> None:
    """PAY-10: the button of a mail as it was sent, "Continue as", "Pay $412.50"."""
    live, page = visit.live, visit.page
    allow(live, cap=41249)
    run(live)
    live.deliver_mail()
    (sent,) = [m for m in mail.outbox if "waits for you" in str(m.subject)]
    visit.context.clear_cookies()
    taps: list[Locator] = []

    def tap(target: Locator) -> None:
        taps.append(target)
        target.click()

    html = str(sent.alternatives[0][0])  # type: ignore[attr-defined]
    page.set_content(re.sub(r"http://acme\.portal\.localhost(:\d+)?", visit.origin, html))
    tap(page.get_by_role("link", name="Pay $412.50"))
    tap(page.get_by_role("button", name=re.compile("Continue as")))
    button = page.get_by_role("button", name="Pay $412.50")
    expect(button).to_be_in_viewport()
    visit.shoot("pay_on_file")
    assert visit.is_accessible()
    tap(button)
    expect(page.get_by_role("heading", name="Paid $412.50")).to_be_visible()
    assert len(taps) == 3
    assert live.charged() == 41250


def test_a_new_card_is_kept_while_paying(visit: Visit) -> None:
    page, live = visit.page, visit.live
    page.goto(f"{visit.origin}/pay/{live.invoice().pk}")
    type_card(page)
    page.get_by_label(re.compile("Keep it on file")).check()
    page.get_by_role("button", name="Pay $412.50").press("Enter")
    expect(page.get_by_role("heading", name="Paid $412.50")).to_be_visible()
    live.deliver_mail()
    assert [row.last4 for row in methods(live)] == ["4242"]


def test_another_card_than_the_one_on_file_pays(visit: Visit) -> None:
    page, live = visit.page, visit.live
    keep(live)
    page.goto(f"{visit.origin}/pay/{live.invoice().pk}")
    expect(page.locator("#payment-element")).to_be_hidden()
    page.get_by_label("Another card or bank account").check()
    type_card(page, "5555555555554444")
    page.get_by_role("button", name="Pay $412.50").press("Enter")
    expect(page.get_by_text("Mastercard ending 4444")).to_be_visible()


@pytest.mark.parametrize("on_file", [False, True])
def test_a_bank_account_pays_in_a_few_days(visit: Visit, on_file: bool) -> None:
    """PAY-04, PAY-13: on its way, not paid; a mail says so, no receipt."""
    page, live = visit.page, visit.live
    if on_file:
        keep(live, "pm_usBankAccount_success")
    page.goto(f"{visit.origin}/pay/{live.invoice().pk}")
    if not on_file:
        type_bank(page)
    visit.shoot("pay_bank")
    assert visit.is_accessible()
    page.get_by_role("button", name="Pay $412.50").press("Enter")
    expect(page.get_by_role("heading", name="Your payment is on its way")).to_be_visible()
    visit.shoot("bank_started")
    assert visit.is_accessible()
    live.deliver_mail()
    assert [m.subject for m in mail.outbox if "412.50" in m.subject] == ["Your bank payment of $412.50 has started"]
    assert (live.charged(), live.invoice().pending_cents) == (0, 41250)
