"""One person's browser: takes a picture of every step, checks every page, remembers every request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FrameLocator,
    Page,
    Request,
    expect,
)

from tests.chromium import PATIENCE
from tests.live import LiveProduct

SHOTS = Path(__file__).parent / "shots"
PANS = ("4242424242424242", "4000000000000002", "4000000000003220")
# Stripe's own frame is Stripe's to keep accessible; its stand-in is tested where it lives.
OURS = {"exclude": [["#payment-element"], ["iframe"]]}
PAY_PAGES = re.compile(r"^/pay/|^/s/pa(y|id)/")


@dataclass
class Walker:
    """Somebody with a browser of their own."""

    product: LiveProduct
    context: BrowserContext
    folder: Path
    page: Page = field(init=False)
    shown: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    posted: list[tuple[str, bytes]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.context.on("request", self._note_request)
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    def _note_request(self, request: Request) -> None:
        frame = request.frame if not request.is_navigation_request() else None
        self.requests.append((frame.page.url if frame else request.url, request.url))
        if request.method not in ("GET", "HEAD"):
            self.posted.append((request.url, request.post_data_buffer or b""))

    def _note_message(self, message: ConsoleMessage) -> None:
        ours = urlsplit(self.page.url).port == self.product.port
        if ours and ("Content Security Policy" in message.text or message.type == "error"):
            self.complaints.append(f"{self.page.url}: {message.text}")

    # -- walking -------------------------------------------------------------------------------------------
    def open(self, host: str, path: str = "/") -> None:
        """Type an address."""
        self.page.goto(self.product.url(host, path))

    def press(self, name: str | re.Pattern[str], *, role: Literal["button", "link"] = "button") -> None:
        """Press the button (or link) of this name."""
        self.page.get_by_role(role, name=name).first.click()

    def write(self, label: str | re.Pattern[str], text: str) -> None:
        """Fill the field of this label."""
        self.page.get_by_label(label).first.fill(text)

    def sees(self, heading: str | re.Pattern[str], *, seconds: float = PATIENCE / 1000) -> None:
        """Wait for a heading."""
        expect(self.page.get_by_role("heading", name=heading).first).to_be_visible(timeout=seconds * 1000)

    def reads(self, text: str | re.Pattern[str], *, seconds: float = PATIENCE / 1000) -> None:
        """Wait for a text."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=seconds * 1000)

    def card_field(self) -> FrameLocator:
        """Return Stripe's frame once it is ready."""
        expect(self.page.locator("#payment-element")).not_to_have_attribute("aria-busy", "true")
        return self.page.frame_locator('iframe[title="Secure payment input frame"]')

    def type_card(self, number: str) -> None:
        """Type a card into Stripe's frame."""
        frame = self.card_field()
        for name, value in {"cardnumber": number, "exp-date": "1234", "cvc": "123", "postal": "12345"}.items():
            frame.locator(f'input[name="{name}"]').fill("")
            frame.locator(f'input[name="{name}"]').press_sequentially(value)

    # -- proving -------------------------------------------------------------------------------------------
    def look(self, name: str) -> None:
        """Keep a picture of the page, and prove that it is accessible and fits the screen."""
        self.shown += 1
        self.page.screenshot(path=self.folder / f"{self.shown:02d}-{name}.png", full_page=True)
        self._check(name)
        self._fits(name)

    def look_in_the_dark(self, name: str) -> None:
        """Do the same in the dark scheme."""
        self.page.emulate_media(color_scheme="dark")
        self.look(f"{name}-dark")
        self.page.emulate_media(color_scheme="light")

    def _check(self, name: str) -> None:
        found = Axe().run(self.page, context=OURS).response["violations"]
        for violation in found:
            nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
            self.failures.append(f"{name} ({urlsplit(self.page.url).path}): {violation['id']}: {nodes}")
        self.checked.add(name)

    def _fits(self, name: str) -> None:
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            self.failures.append(f"{name} ({urlsplit(self.page.url).path}) is {wide} px wider than the screen")

    def prove(self) -> None:
        """Hold everything that was seen to the rules: accessibility, our own origins, no card number."""
        found = self.failures + self.complaints
        assert not found, "\n".join(found)
        self._prove_origins()
        for url, body in self.posted:
            if urlsplit(url).port != self.product.port:
                continue
            digits = re.sub(rb"[^0-9]", b"", body)
            assert not any(pan.encode() in digits for pan in PANS), f"PAY-01: a card number was sent to {url}"

    def _prove_origins(self) -> None:
        """Nothing is loaded from elsewhere; from Stripe only where money is paid or the account is set up."""
        stripe = {self.product.double_port, self.product.element_port}
        for page, url in self.requests:
            asked = urlsplit(url)
            if asked.scheme in ("data", "blob", "about"):
                continue
            host, port = asked.hostname or "", asked.port
            assert host == "localhost" or host.endswith(".localhost"), f"{page} asked {url}"
            assert port in {self.product.port, *stripe}, f"{page} asked {url}"
            shown = urlsplit(page)
            if port in stripe and shown.port == self.product.port:
                assert PAY_PAGES.match(shown.path), f"{page} asked {url}"


@contextmanager
def walk(browser: Browser, product: LiveProduct, folder: str, *, width: int, height: int) -> Iterator[Walker]:
    """Give somebody a fresh browser of a size; what it met is proven at the end."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="light", locale="en-US")
    walker = Walker(product, context, SHOTS / folder)
    try:
        yield walker
        walker.prove()
    except BaseException:
        walker.page.screenshot(path=walker.folder / f"{walker.shown + 1:02d}-where-it-stopped.png", full_page=True)
        raise
    finally:
        context.close()
