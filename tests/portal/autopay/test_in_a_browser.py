"""Autopay on a phone: allow it, see what is charged next, skip one, end it (P-12)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from portal.autopay.services import charging
from tests.portal.methods.keeping import keep
from tests.portal.payments.bench import Bench, later
from tests.portal.payments.test_in_a_browser import Visit, browser

__all__ = ["browser"]
pytestmark = pytest.mark.browser


def test_a_customer_allows_skips_and_ends_autopay(browser: Browser, live: Bench) -> None:
    keep(live)
    visit = Visit(browser, live)
    page = visit.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{visit.origin}/pay/autopay/")
    assert visit.is_accessible()
    page.get_by_role("link", name="Set up autopay").click()
    page.get_by_label("At most for one invoice").fill("500.00")
    page.get_by_label(re.compile("I allow Acme")).check()
    visit.shoot("autopay_set_up")
    assert visit.is_accessible()
    page.get_by_role("button", name="Turn on autopay").press("Enter")
    expect(page.get_by_text("Autopay is on. You are told before each charge.")).to_be_visible()
    with live.acme() as context:
        charging.run_autopay(context=context, now=later())
    page.reload()
    page.get_by_role("button", name="Skip invoice 1042").press("Enter")
    expect(page.get_by_text("Invoice 1042 is not charged. You can pay it yourself.")).to_be_visible()
    visit.shoot("autopay")
    assert visit.is_accessible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="End autopay").press("Enter")
    expect(page.get_by_text("Autopay is off. Nothing is charged any more.")).to_be_visible()
    visit.context.close()
    assert visit.complaints == []
