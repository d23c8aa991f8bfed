"""Fixtures of journeys on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.phones import Phones, phone_browser
from tests.portal.payments.bench import Bench
from tests.portal.payments.fixtures import bench, live, stripe_double

__all__ = ["bench", "live", "stripe_double"]


@pytest.fixture(scope="module")
def phone_chromium() -> Iterator[Browser]:
    """One Chromium for the phones of a module."""
    with phone_browser() as started:
        yield started


@pytest.fixture
def phones(phone_chromium: Browser, live: Bench, tmp_path: Path) -> Phones:
    """Phones beside the running product and the running double."""
    return Phones(phone_chromium, live, tmp_path)
