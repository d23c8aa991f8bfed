"""Every template renders with believable data and keeps to the markup contract (design/ui/ui.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.portal.ui.conftest import Render
from tests.portal.ui.samples import contexts

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted([*ROOT.glob("portal/*/templates/**/*.html"), *ROOT.glob("platform/*/templates/**/*.html")])
OWN = {path for path in SOURCES if "email" not in path.parts}
NAMES = sorted(contexts())
PAGES = [name for name in NAMES if not name.startswith("email/")]
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
SELF_CLOSED = {"path", "circle", "use", "stop", "rect"}


@dataclass(frozen=True)
class Message:
    """A flash message as templates see it."""

    text: str
    level_tag: str

    def __str__(self) -> str:
        return self.text


class Checker(HTMLParser):
    """Collects what the contract speaks about, and complains about tags that do not pair up."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.faults: list[str] = []
        self.h1 = self.lit = self.primary = self.posts = self.tokens = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID and tag not in SELF_CLOSED:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        for name in ("for", "aria-labelledby", "aria-describedby"):
            self.references += str(given.get(name) or "").split()
        classes = str(given.get("class") or "").split()
        self.h1 += tag == "h1"
        self.lit += "card--lit" in classes
        self.primary += "btn--primary" in classes
        self.posts += tag == "form" and given.get("method") == "post"
        self.tokens += given.get("name") == "csrfmiddlewaretoken"
        if "style" in given or any(name.startswith("on") for name in given):
            self.faults.append(f"inline style or handler on <{tag}>")
        if tag == "svg" and given.get("aria-hidden") != "true" and not given.get("aria-label"):
            self.faults.append("picture without a name that is not hidden")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID and tag not in SELF_CLOSED:
            self.faults.append(f"<{tag}/>")

    def handle_endtag(self, tag: str) -> None:
        if tag in SELF_CLOSED:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")


def check(html: str) -> Checker:
    """Parse a page."""
    checker = Checker()
    checker.feed(html)
    return checker


@pytest.mark.parametrize("name", NAMES)
def test_every_template_renders_with_sample_data(name: str, render: Render) -> None:
    """No component, tag or comment reaches the reader raw (dependencies.md 4.6)."""
    html = render(name, contexts()[name])
    assert "<c-" not in html
    assert not re.search(r"\{[{%#]", html)
    assert "context:" not in html


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_the_markup_contract(name: str, render: Render) -> None:
    """One h1, at most one lit card, paired tags, unique ids, labels that point somewhere (ui.md 1, 7)."""
    page = check(render(name, contexts()[name]))
    assert page.faults == []
    assert page.open == []
    assert page.h1 == 1
    assert len(page.ids) == len(set(page.ids))
    assert set(page.references) <= set(page.ids)
    assert page.tokens >= page.posts
    if not name.startswith("ui/gallery"):
        assert page.lit <= 1


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith(("ui/", "signup/landing"))])
def test_a_page_has_one_primary_button_at_most(name: str, render: Render) -> None:
    """Invoices and receipts included: the outcome stands on one button (ui.md 1.4)."""
    html = render(name, contexts()[name])
    # The bulk bar, the impact line and the failure line belong to what the page is about.
    assert check(html).primary - html.count('class="bulk"') - html.count('class="impact"') <= 1


@pytest.mark.parametrize("name", [n for n in PAGES if not n.startswith(("errors/", "4", "5"))])
def test_a_page_takes_the_chosen_theme(name: str, render: Render) -> None:
    """The server prints the theme, so nothing flashes."""
    assert '<html lang="en" data-theme="dark">' in render(name, contexts()[name], theme="dark")
    assert '<html lang="en">' in render(name, contexts()[name], theme="purple")


def test_every_page_template_has_a_sample() -> None:
    """A page that is added comes with data to draw it."""
    drawn = {name.partition("#")[0] for name in NAMES}
    parts = {"base", "row", "steps", "import_steps", "sample_phone", "footer", "nav_items", "account_menu"}
    for path in SOURCES:
        name = path.as_posix().split("/templates/")[1]
        if name.startswith("cotton/") or path.stem.startswith("base") or path.stem in {*parts, "field_error"}:
            continue
        if any(owner in path.as_posix() for owner in ("portal/ui/",)):
            assert name in drawn, name


@pytest.mark.parametrize("path", sorted(OWN), ids=lambda path: path.as_posix().split("/templates/")[1])
def test_a_template_has_no_inline_style_and_no_colour(path: Path) -> None:
    """A strict content policy forbids the first, the tokens the second (ui.md 10)."""
    text = path.read_text()
    assert "style=" not in text
    assert "onclick=" not in text
    assert "<script>" not in text
    drawing = re.sub(r"<svg.*?</svg>", "", text, flags=re.S)
    assert not re.search(r"#[0-9a-fA-F]{6}\b", re.sub(r"\{#.*?#\}", "", drawing))


@pytest.mark.parametrize(
    "name", ["404", "403", "csrf", "500", "portal_off", "held", "closed", "maintenance", "rate_limited"]
)
def test_an_error_page_needs_no_request(name: str, render: Render) -> None:
    """They must still come when the database and the session are gone."""
    assert "<h1>" in render(f"errors/{name}.html", {})


@pytest.mark.parametrize("kind", ["succeeded", "processing", "checking", "failed"])
def test_a_payment_result_polls_only_while_it_is_being_checked(kind: str, render: Render) -> None:
    """An unknown result updates by itself and asks nobody to pay again (F9)."""
    name = "payments/result.html" if kind == "succeeded" else f"payments/result.html#{kind}"
    html = render(name, contexts()[name])
    assert ("data-poll-url" in html) == (kind == "checking")


def test_attributes_handed_through_a_component_are_escaped(render: Render) -> None:
    """A customer's name in a title must not open a tag."""
    from django.template import engines

    source = '{% load ui %}<c-button :title="evil" :href="\'/x\'">Go</c-button>'
    compiled = engines["django"].from_string(_compiled(source))
    html = compiled.render({"evil": '"><script>alert(1)</script>'})
    assert "<script>" not in html
    assert "&quot;&gt;&lt;script&gt;" in html


def _compiled(source: str) -> str:
    from django_cotton.compiler_regex import CottonCompiler

    return str(CottonCompiler().process(source))


def test_messages_of_the_server_are_toasts(render: Render) -> None:
    """What happened is said in words; a failure interrupts a screen reader (ui.md 6)."""
    messages = [Message("Invitation sent to Dana", "success"), Message("The card was declined", "error")]
    html = render("home/home.html", {**contexts()["home/home.html"], "messages": messages})
    assert re.search(r'role="status".*?Invitation sent to Dana', html)
    assert re.search(r'role="alert".*?The card was declined', html)
