"""The palette keeps its contrast promises for every colour an owner may choose (ui.md 2.1)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.ui import brand
from portal.ui.brand import BrandView, InvalidColour, contrast, css_variables, palette

COLOURS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@given(COLOURS)
def test_any_colour_gives_readable_text_and_visible_buttons(colour: str) -> None:
    """4.5 for text on fills, 4.8 and 5.2 for links, 3 for shapes."""
    p = palette(colour)
    assert contrast(p.fill, p.on) >= 4.5
    assert contrast(p.dusk_fill, p.dusk_on) >= 4.5
    assert contrast(p.text, brand.LIGHT_SUNKEN) >= 4.8
    assert contrast(p.dusk_text, brand.DARK_RAISED) >= 5.2
    assert contrast(p.edge, brand.LIGHT_SURFACE) >= 3
    assert contrast(p.dusk_fill, brand.DARK_SURFACE) >= 3


def test_the_corners_of_the_colour_space_are_safe() -> None:
    """Pure primaries, black and white are what random search meets last."""
    for channels in itertools.product((0, 0x80, 0xFF), repeat=3):
        p = palette("#{:02x}{:02x}{:02x}".format(*channels))
        assert min(contrast(p.fill, p.on), contrast(p.dusk_fill, p.dusk_on)) >= 4.5


def test_a_good_brand_colour_stays_itself() -> None:
    """Acme's blue is readable as it is."""
    p = palette("#1e5aa8")
    assert (p.fill, p.on, p.dusk_fill, p.dusk_text) == ("#1e5aa8", "#ffffff", "#316cbc", "#6aa3f1")


def test_a_pale_yellow_keeps_dark_text_and_gets_an_edge() -> None:
    """White on yellow would be unreadable."""
    p = palette("#ffe066")
    assert p.on == brand.INK
    assert contrast(p.edge, "#ffffff") >= 3 > contrast(p.fill, "#ffffff")


@pytest.mark.parametrize("text", ["", "red", "#12", "#12345g", "#1234567", "};x{", "#fff;}"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    """The rule is printed unescaped, so only colours may enter it."""
    with pytest.raises(InvalidColour):
        palette(text)


def test_the_style_rule_names_all_seven_colours() -> None:
    """tokens.css derives every tint from these."""
    rule = css_variables(palette("#abc"), "[data-brand]")
    assert rule.startswith("[data-brand]{--b-fill:#")
    assert rule.count("--b-") == 4
    assert rule.count("--bd-") == 3


def test_a_company_without_a_colour_prints_no_rule() -> None:
    """Porchlight's own colours are the defaults of the stylesheet."""
    assert BrandView(name="Acme", short_name="Acme", initials="A").palette_css == ""


@pytest.mark.parametrize(
    ("name", "letters"), [("Acme Heating & Air", "AH"), ("O’Neil", "ON"), ("élan", "É"), ("!!", "?")]
)
def test_initials_stand_for_a_name(name: str, letters: str) -> None:
    """They fill the door tile while there is no logo."""
    assert brand.initials(name) == letters
