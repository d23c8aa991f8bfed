"""Weight and honesty of the stylesheets, icons and the one script (ui.md 6, 10; screens.md 0)."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
STATIC = ROOT / "portal/ui/static/ui"
TEMPLATES = sorted([*ROOT.glob("portal/*/templates/**/*.html"), *ROOT.glob("platform/*/templates/**/*.html")])


def test_tokens_and_components_stay_under_35_kb() -> None:
    """The budget is counted unminified."""
    assert sum((STATIC / name).stat().st_size for name in ("tokens.css", "components.css")) <= 35_000


def test_page_styles_and_script_stay_small() -> None:
    """Together with the font the first page stays far below 120 kB."""
    assert (STATIC / "pages.css").stat().st_size <= 12_000
    assert (STATIC / "porchlight.js").stat().st_size <= 6_000
    whole = sum(path.stat().st_size for path in STATIC.rglob("*") if path.suffix not in {".txt"})
    assert whole <= 100_000


def test_colours_are_defined_in_tokens_only() -> None:
    """A page style that names a colour would not follow the theme; the mark is the one exception."""
    lines = [line for line in (STATIC / "pages.css").read_text().splitlines() if "mark__" not in line]
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", "\n".join(lines))


def test_braces_of_the_stylesheets_pair_up() -> None:
    """A lost brace silently drops every rule after it."""
    for path in STATIC.glob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        assert text.count("{") == text.count("}"), path.name


def test_every_icon_used_exists() -> None:
    """A missing symbol is an empty square on the page."""
    known = set(re.findall(r'<symbol id="i-([a-z0-9-]+)"', (STATIC / "icons.svg").read_text()))
    for path in [*TEMPLATES, *(ROOT / "portal").rglob("nav.py")]:
        text = path.read_text()
        used = set(re.findall(r'{% icon "([a-z0-9-]+)"', text)) | set(re.findall(r'\bicon="([a-z0-9-]+)"', text))
        assert used <= known, (path.name, used - known)


def test_every_class_used_is_defined() -> None:
    """A class without a rule is a leftover or a slip."""
    sheet = "".join(path.read_text() for path in STATIC.glob("*.css"))
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", sheet))
    # Hooks of the mail's own media query live in the mail.
    for path in TEMPLATES:
        if "email" in path.parts:
            continue
        text = re.sub(r"\{[{%].*?[}%]\}", "\x00", path.read_text())
        for value in re.findall(r'class="([^"]*)"', text):
            for name in value.split():
                if "\x00" not in name:
                    assert name in known, (path.name, name)


def test_licences_of_font_and_icons_are_shipped() -> None:
    """Both licences ask for it."""
    licences = {path.name for path in (STATIC / "licences").iterdir()}
    assert licences == {"OFL-Figtree.txt", "ISC-Lucide.txt"}
