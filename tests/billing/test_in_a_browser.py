"""An owner subscribes, a card fails, another pays: on Stripe's pages in a real browser, told by real webhooks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from billing.tasks import step
from portal.accounts.staff_sessions import cookie_name
from tests.billing.conftest import FAILS_LATER, PAYS, Biller
from tests.cast import ACME
from tests.chromium import chromium
from tests.portal.payments.bench import Bench

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("BILLING_SHOTS", "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one Chromium for the module."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with chromium() as started:
        yield started
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(browser: Browser, live: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Olive's browser on the running product; no policy of ours may be broken in it."""
    from dataclasses import replace

    from django.conf import settings

    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, public_port=live.port))
    origin = f"http://acme.portal.localhost:{live.port}"
    token = Biller(live).office().cookies[cookie_name()].value
    context = browser.new_context(viewport={"width": 390, "height": 844}, base_url=origin)
    context.add_cookies([{"name": cookie_name(), "value": token, "url": origin}])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    yield opened
    context.close()
    assert [text for text in complaints if "Content Security Policy" in text] == []


def is_accessible(page: Page, name: str) -> bool:
    """Whether the automatic accessibility check finds nothing (ui.md 7); keeps a picture where BILLING_SHOTS says."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    return True


def test_the_owner_subscribes_fails_to_pay_and_pays(page: Page, live: Bench) -> None:
    """Checkout and billing portal, driven as an owner does, on a phone."""
    page.goto("/office/")
    page.get_by_role("link", name="Look at your plan").click()
    expect(page.get_by_role("heading", name="Your plan")).to_be_visible()
    assert is_accessible(page, "trial")
    page.get_by_role("button", name="Choose Porch").click()
    expect(page.get_by_role("heading", name="Subscribe to Porch")).to_be_visible()
    page.get_by_label("Card number").fill(FAILS_LATER)
    page.get_by_role("button", name="Start trial").click()
    expect(page.get_by_text("From then on $49.00 a month is charged to your card.")).to_be_visible()

    live.control("advance", days=31)
    live.settle_down()
    live.work_off()
    page.goto("/office/plan/")
    expect(page.get_by_text("The last payment didn’t go through")).to_be_visible()
    assert is_accessible(page, "failed")
    now = timezone.now()
    for days in (8, 16):
        step(ACME, now + timedelta(days=days))
    page.goto("/office/customers")
    expect(page.get_by_text("Your office is paused")).to_be_visible()
    assert is_accessible(page, "paused")

    page.get_by_role("button", name="Card, invoices and plan").click()
    page.get_by_label("Card number").fill(PAYS)
    page.get_by_role("button", name="Replace card").click()
    page.get_by_role("button", name="Pay now").click()
    page.get_by_role("link", name="Return to the site").click()
    expect(page.get_by_text("The next payment is on")).to_be_visible()
    page.goto("/office/customers")
    expect(page.get_by_role("heading", name="Customers")).to_be_visible()
