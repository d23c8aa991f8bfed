"""Every word a person reads goes through gettext; no page carries code or style of its own (ui.md 8; WEB-04)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, templates

COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}|<!--.*?-->", re.S)
BLOCK = re.compile(r"\{%\s*blocktranslate\b.*?%\}.*?\{%\s*endblocktranslate\s*%\}", re.S)
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.S)
CODE = re.compile(r"<(script|style|svg)\b.*?</\1>", re.S)
ELEMENT = re.compile(r"<[^>]*>", re.S)
ATTRIBUTE = re.compile(r'\s[a-z-]+="[^"]*"')
WORD = re.compile(r"[A-Za-zÀ-ÿ]{3,}")
SPOKEN = re.compile(r'(?<![\w:-])(title|label|alt|placeholder|aria-label|text|sub|hint|note|heading)="([^"]*)"', re.S)
# Names, examples and technical words that are the same in every language.
SAME = {
    "Porchlight",
    "Acme",
    "Acme Heating &amp; Air",
    "Heating",
    "Air",
    "Lakeshore",
    "alice@example.com",
    "CSV",
    "PDF",
    "name@example.com",
    "https",
    "http",
    "html",
    "utf",
    "nbsp",
    "middot",
    "mailto",
    "tel",
}


def _strip(text: str) -> str:
    return TAG.sub("\x00", BLOCK.sub("\x00", COMMENT.sub("", text)))


def untranslated(text: str) -> list[str]:
    """Return the words of a template that no translator will ever see."""
    bare = _strip(text)
    found = [
        value
        for _name, value in SPOKEN.findall(bare)
        if any(word not in SAME for word in WORD.findall(value)) and value not in SAME
    ]
    # A block may hold nothing but an attribute of the element around it.
    body = ATTRIBUTE.sub(" ", ELEMENT.sub(" ", CODE.sub(" ", bare)))
    found += [word for word in WORD.findall(re.sub(r"&[a-z]+;", " ", body)) if word not in SAME]
    return found


SHOWN_TO_US_ONLY = {"gallery.html"}
SPOKEN_TO_PEOPLE = [path for path in templates() if path.name not in SHOWN_TO_US_ONLY]


@pytest.mark.parametrize("path", SPOKEN_TO_PEOPLE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_word_of_a_template_can_be_translated(path: Path) -> None:
    """CONTRIBUTING.md: words for people."""
    assert untranslated(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("slip", "found"),
    [
        ("<p>Hello there</p>", ["Hello", "there"]),
        ('<p title="Close">{{ x }}</p>', ["Close"]),
        ('<c-row title="Pay now" />', ["Pay now"]),
        ("<p>{% translate 'Hello' %} {{ name }}</p>", []),
        ("{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}", []),
        ("{# Hello #}", []),
    ],
)
def test_the_search_for_words_finds_them(slip: str, found: list[str]) -> None:
    """A rule that cannot fail proves nothing."""
    assert untranslated(slip) == found


@pytest.mark.parametrize(
    "path", [path for path in templates() if "email" not in path.parts], ids=lambda path: path.name
)
def test_a_page_carries_no_code_and_no_style_of_its_own(path: Path) -> None:
    """WEB-04: the policy would refuse it."""
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text)
    assert "javascript:" not in text
    for opening in re.findall(r"<(?:script|style)\b[^>]*>", text):
        assert "nonce=" in opening, opening
    for address in re.findall(r'(?:src|href|action)="(https?:[^"]*)"', text):
        raise AssertionError(f"a page loads nothing from elsewhere: {address}")
    assert "|safe" not in text
    assert "autoescape off" not in text
