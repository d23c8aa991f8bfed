"""The payment form in a real browser, on a shop's page with a strict content security policy."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Page, expect

from tests.chromium import chromium

from .bench import Bench, pay

pytestmark = pytest.mark.browser


@dataclass
class Shop:
    """A page that sells one thing, and everything ever posted to it."""

    bench: Bench
    client: stripe.StripeClient
    account: str
    theme: str = "stripe"
    url: str = ""
    posted: list[bytes] = field(default_factory=list)

    @property
    def policy(self) -> str:
        """Return the strictest policy the real Stripe.js would work under as well."""
        api, element = self.bench.running.double.base_url, self.bench.running.double.element_url
        return (
            f"default-src 'none'; script-src 'nonce-test-nonce' {api}/endive/stripe.js; "
            f"frame-src {element}; connect-src 'self' {api}; base-uri 'none'; form-action 'self'"
        )

    def page(self) -> str:
        """Return the shop's page."""
        template = (Path(__file__).parent / "shop.html").read_text(encoding="utf-8")
        script = f"{self.bench.running.double.base_url}/endive/stripe.js"
        for name, value in {"STRIPE_JS": script, "ACCOUNT": self.account, "THEME": self.theme}.items():
            template = template.replace("{{" + name + "}}", value)
        return template

    def pay(self, body: bytes) -> dict[str, Any]:
        """Create and confirm the payment, as a shop's server does."""
        self.posted.append(body)
        try:
            intent = pay(self.client, self.account, confirmation_token=body.decode())
        except stripe.CardError as declined:
            return {"error": declined.code}
        return {"status": intent.status, "client_secret": intent.client_secret}


@pytest.fixture
def shop(bench: Bench, client: stripe.StripeClient) -> Iterator[Shop]:
    """Serve a shop with an onboarded account."""
    opened = Shop(bench, client, bench.account(client))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/"
            self.answer(200 if found else 404, opened.page().encode() if found else b"", "text/html")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(200, json.dumps(opened.pay(body)).encode(), "application/json")

        def answer(self, status: int, body: bytes, content_type: str) -> None:
            """Send a whole answer."""
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", opened.policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class has it)
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    opened.url = f"http://acme.portal.localhost:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield opened
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one Chromium for the module."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, shop: Shop) -> Iterator[Page]:
    """Open a page, and fail when its console reported a refused script, style or frame."""
    context = browser.new_context()
    opened = context.new_page()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    opened.on("console", note)
    yield opened
    context.close()
    assert complaints == []


def open_form(page: Page, shop: Shop) -> FrameLocator:
    """Open the shop and return its card form."""
    page.goto(shop.url)
    expect(page.locator("#pay")).to_be_enabled()
    return page.frame_locator('iframe[title="Secure payment input frame"]')


def fill(form: FrameLocator, number: str = "4242424242424242") -> None:
    """Type a card."""
    for name, value in {"cardnumber": number, "exp-date": "1234", "cvc": "123", "postal": "12345"}.items():
        form.locator(f'input[name="{name}"]').press_sequentially(value)


def test_a_card_pays_and_its_number_never_reaches_the_shop(page: Page, shop: Shop) -> None:
    form = open_form(page, shop)
    fill(form)
    expect(form.locator('input[name="cardnumber"]')).to_have_value("4242 4242 4242 4242")
    expect(form.locator('input[name="exp-date"]')).to_have_value("12 / 34")
    expect(page.locator("body")).to_have_attribute("data-complete", "true")
    page.locator("#pay").click()
    expect(page.locator("#log")).to_have_text("done: succeeded")
    assert [body[:7] for body in shop.posted] == [b"ctoken_"]
    (charge,) = shop.client.v1.charges.list({}, {"stripe_account": shop.account}).data
    address: Any = charge.billing_details.address
    assert address.postal_code == "12345"
    assert shop.bench.control("state")["violations"] == []


def test_errors_stand_beside_their_fields(page: Page, shop: Shop) -> None:
    form = open_form(page, shop)
    page.locator("#pay").click()
    expect(page.locator("#log")).to_have_text("invalid: incomplete_number")
    number = form.get_by_label("Card number")
    expect(number).to_be_focused()
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(form.locator("#number-error")).to_have_text("Your card number is incomplete.")
    expect(form.locator("#cvc-error")).to_have_text("Your card's security code is incomplete.")
    fill(form, "4242424242424241")
    page.locator("#pay").click()
    expect(page.locator("#log")).to_have_text("invalid: invalid_number")
    assert shop.posted == []


def test_a_decline_can_be_followed_by_another_card(page: Page, shop: Shop) -> None:
    """F8."""
    form = open_form(page, shop)
    fill(form, "4000000000009995")
    page.locator("#pay").click()
    expect(page.locator("#log")).to_have_text("declined: card_declined")
    form.locator('input[name="cardnumber"]').fill("5555555555554444")
    page.locator("#pay").click()
    expect(page.locator("#log")).to_have_text("done: succeeded")


@pytest.mark.parametrize(
    ("button", "outcome"),
    [("Complete", "done: succeeded"), ("Fail", "failed: payment_intent_authentication_failure")],
)
def test_authentication_opens_over_the_shop(page: Page, shop: Shop, button: str, outcome: str) -> None:
    form = open_form(page, shop)
    fill(form, "4000000000003220")
    page.locator("#pay").click()
    bank = page.frame_locator('iframe[title="Payment authentication"]')
    expect(bank.get_by_text("not Stripe, not a bank")).to_be_visible()
    bank.get_by_role("button", name=button).click()
    expect(page.locator("#log")).to_have_text(outcome)
    expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize("theme", ["stripe", "night"])
def test_the_form_has_no_accessibility_violations(page: Page, shop: Shop, theme: str) -> None:
    shop.theme = theme
    form = open_form(page, shop)
    expect(form.get_by_text("not Stripe")).to_be_visible()
    page.locator("#pay").click()
    expect(form.locator("#postal-error")).not_to_be_empty()
    # The form is transparent on its host: judge the night colours on a dark page.
    if theme == "night":
        page.evaluate("document.documentElement.style.background = '#12151d'")
        page.evaluate("document.body.style.color = '#fff'")
    frame = next(frame for frame in page.frames if frame.url.endswith("/element"))
    if theme == "night":
        frame.evaluate("document.documentElement.style.background = '#12151d'")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_the_hosted_pages_have_no_accessibility_violations(page: Page, shop: Shop) -> None:
    account = shop.bench.account(shop.client, onboard=False)
    page.goto(shop.bench.onboarding_link(shop.client, account).url)
    expect(page.get_by_role("button", name="Finish onboarding")).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
