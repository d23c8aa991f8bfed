"""Phones of payers: the product served beside the test, each person with a browser of their own at phone size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils import timezone
from playwright.sync_api import Browser, FrameLocator, Locator, expect

from portal.accounts.client import Client
from portal.accounts.models import PortalUser
from portal.accounts.sessions import cookie_name, start_session
from tests.browser.walker import Walker, walk
from tests.cast import ACME
from tests.chromium import chromium
from tests.live import LiveProduct
from tests.portal.payments.bench import Bench

WIDTH, HEIGHT = 390, 844
CARD, DECLINED, ASKS = "4242424242424242", "4000000000000002", "4000000000003220"


@contextmanager
def phone_browser() -> Iterator[Browser]:
    """Run one Chromium beside tests that read the database themselves."""
    # Its event loop would make Django refuse the database on this thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with chromium() as started:
            yield started
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@dataclass
class Phones:
    """Hands out phones; the journey's name is the folder of its pictures."""

    browser: Browser
    live: Bench
    folder: Path

    @contextmanager
    def stranger(self, journey: str) -> Iterator[Walker]:
        """Give somebody a phone on which nobody is signed in; what it met is proven at the end."""
        double = self.live.running.double
        nothing: Any = None
        place = LiveProduct("", self.folder, self.live.port, double.port, double.element_port, {}, nothing)
        with walk(self.browser, place, f"phone-{journey}", width=WIDTH, height=HEIGHT) as walker:
            yield walker

    @contextmanager
    def alice(self, journey: str) -> Iterator[Walker]:
        """Give Alice a phone on which she is signed in."""
        with self.live.acme():
            user = PortalUser.objects.get(email="alice@example.com")
            session = start_session(user=user, tenant_id=ACME, client=Client(None, "phone", ""), now=timezone.now())
        with self.stranger(journey) as walker:
            origin = walker.product.url("acme", "")
            walker.context.add_cookies([{"name": cookie_name(), "value": session.token, "url": origin}])
            yield walker


def pay(walker: Walker, amount: str, number: str = CARD) -> None:
    """Type a card and press the button, by keyboard: right after scrolling a click may meet the frame instead."""
    walker.type_card(number)
    walker.page.get_by_role("button", name=f"Pay {amount}").press("Enter")


def bank(walker: Walker) -> FrameLocator:
    """Return the window in which the payer's bank asks."""
    frame = walker.page.frame_locator('iframe[title="Payment authentication"]')
    expect(frame.get_by_role("button", name="Complete")).to_be_visible()
    return frame


def in_reach(button: Locator) -> None:
    """Prove that a button can be pressed without scrolling."""
    expect(button).to_be_in_viewport()


def forgive(walker: Walker, status: int) -> None:
    """Forget that the console noted an answer which the journey wanted."""
    walker.complaints = [text for text in walker.complaints if str(status) not in text]
