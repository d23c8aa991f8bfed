"""The small script in a real browser: polling, closing, sending once (ui.md 1.5)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import chromium

SCRIPT = Path(__file__).resolve().parents[3] / "portal/ui/static/ui/porchlight.js"

Answer = Callable[[BaseHTTPRequestHandler], tuple[int, str]]

pytestmark = pytest.mark.browser


class Site:
    """A tab and a local server whose answers a test sets by path."""

    def __init__(self, tab: Page) -> None:
        self.tab = tab
        self.answers: dict[str, Answer] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = site.answers.get(self.path, lambda _: (404, ""))(self)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", body)
                kind = "text/javascript" if self.path.endswith(".js") else "text/html"
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def show(self, body: str) -> None:
        """Open a page with the script on it."""
        page = f'<!doctype html><body>{body}<script src="/script.js" defer></script>'
        self.answers |= {"/": lambda _: (200, page), "/script.js": lambda _: (200, SCRIPT.read_text())}
        self.tab.goto(f"http://127.0.0.1:{self.server.server_port}/")


@pytest.fixture(scope="module")
def shared_tab() -> Iterator[Page]:
    """Open one tab for all tests of this file."""
    with chromium() as browser:
        yield browser.new_page()


@pytest.fixture
def site(shared_tab: Page) -> Iterator[Site]:
    """Start a server for one test."""
    site = Site(shared_tab)
    yield site
    shared_tab.goto("about:blank")
    site.server.shutdown()
    site.server.server_close()


def test_a_fragment_is_replaced_until_it_stops_asking(site: Site) -> None:
    """The last answer carries no data-poll-url and stays."""
    asked: list[str | None] = []

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, str]:
        asked.append(request.headers["X-Fragment"])
        more = ' data-poll-url="/poll" data-poll-seconds="0.05"' if len(asked) < 3 else ""
        return 200, f"<p{more}>{len(asked)}</p>"

    site.answers["/poll"] = answer
    site.show('<p data-poll-url="/poll" data-poll-seconds="0.05">0</p>')
    expect(site.tab.locator("p:not([data-poll-url])")).to_have_text("3")
    assert asked == ["1", "1", "1"]


def test_a_failed_answer_is_asked_for_again(site: Site) -> None:
    """A short outage leaves the page standing."""
    answers = iter([(503, ""), (200, "<p>there</p>")])
    site.answers["/poll"] = lambda _: next(answers)
    site.show('<p data-poll-url="/poll" data-poll-seconds="0.05">wait</p>')
    expect(site.tab.locator("p")).to_have_text("there")


def test_a_redirected_answer_moves_the_page(site: Site) -> None:
    """An import that has ended leads to its report."""
    site.answers["/poll"] = lambda _: (302, "/end")
    site.answers["/end"] = lambda _: (200, "<h1>Report</h1>")
    site.show('<p data-poll-url="/poll" data-poll-seconds="0.05">wait</p>')
    expect(site.tab.locator("h1")).to_have_text("Report")
    assert site.tab.url.endswith("/end")


def test_a_message_can_be_closed(site: Site) -> None:
    """The button shows only where the script runs."""
    site.show('<div class="toast">Sent<button type="button" data-dismiss hidden>Close</button></div>')
    site.tab.get_by_role("button", name="Close").click()
    expect(site.tab.locator(".toast")).to_have_count(0)


@pytest.mark.parametrize(("extra", "times"), [("", 1), ("data-repeatable", 2)])
def test_a_form_is_sent_once(site: Site, extra: str, times: int) -> None:
    """A double tap pays once; a field called method does not confuse it."""
    site.show(f'<form method="post" {extra}><input name="method" value="card"><button>Pay</button></form>')
    # The window hears a submit last: what nobody has stopped by then would go to the server.
    sent = site.tab.evaluate(
        """() => {
            let sent = 0;
            addEventListener("submit", (event) => { sent += !event.defaultPrevented; event.preventDefault(); });
            const button = document.querySelector("button");
            button.click();
            button.click();
            return sent;
        }"""
    )
    assert sent == times


def test_a_slash_leads_to_the_search_box_but_not_while_typing(site: Site) -> None:
    """The office's keyboard shortcut."""
    site.show('<input id="q" data-shortcut="/"><textarea id="note"></textarea>')
    site.tab.keyboard.press("/")
    expect(site.tab.locator("#q")).to_be_focused()
    site.tab.locator("#note").focus()
    site.tab.keyboard.press("/")
    expect(site.tab.locator("#note")).to_have_value("/")
