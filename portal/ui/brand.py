"""One brand colour in, seven safe colours out, and the facts about a company every page shows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

INK = "#1a1f2b"
WHITE = "#ffffff"
LIGHT_SURFACE, LIGHT_SUNKEN = "#ffffff", "#f1efeb"
DARK_SURFACE, DARK_RAISED = "#1c212c", "#262c39"

PORCHLIGHT = "#12484b"

# How far a fill may be darkened to keep white text before the text flips to ink.
NUDGE = 0.06

_HEX = re.compile(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


class InvalidColour(ValueError):
    """The text is not a three- or six-digit hexadecimal colour."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Seven hexadecimal colours: fill, text on it, links, outline; then the dusk set."""

    fill: str
    on: str
    text: str
    edge: str
    dusk_fill: str
    dusk_on: str
    dusk_text: str


@dataclass(frozen=True, slots=True)
class BrandView:
    """What a page shows of a company; put it on the request as `request.brand`."""

    name: str
    short_name: str
    initials: str
    phone: str = ""
    phone_href: str = ""
    email: str = ""
    address_lines: tuple[str, ...] = ()
    hours: str = ""
    licence: str = ""
    host: str = ""
    palette: Palette | None = None
    logo_url: str | None = None
    privacy_url: str = ""
    terms_url: str = ""

    @property
    def palette_css(self) -> str:
        """Return the style rule with the seven colours, or nothing for Porchlight's own."""
        return css_variables(self.palette) if self.palette else ""

    @property
    def address(self) -> str:
        """Return the address on one line."""
        return ", ".join(self.address_lines)


def initials(name: str) -> str:
    """Return one or two capitals that stand for a name."""
    words = [word for word in re.findall(r"\w+", name) if word]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@lru_cache(maxsize=1024)
def palette(brand: str) -> Palette:
    """Return the seven colours for one brand colour; raises InvalidColour."""
    lightness, chroma, hue = to_oklch(brand)
    chroma = min(chroma, 0.2)
    fill, on = _fill(lightness, chroma, hue)
    soft = mix(fill, LIGHT_SURFACE, 0.10)
    text = _walk(
        lightness,
        chroma,
        hue,
        -0.005,
        lambda c: min(contrast(c, soft), contrast(c, LIGHT_SUNKEN)) >= 4.8,
    )
    edge = _walk(to_oklch(fill)[0], chroma, hue, -0.005, lambda c: contrast(c, LIGHT_SURFACE) >= 3)

    # At dusk the button is lifted until it stands out from the dark surface.
    lifted = lightness
    dusk_fill, dusk_on = _fill(lifted, chroma, hue)
    while contrast(dusk_fill, DARK_SURFACE) < 3:
        lifted += 0.01
        dusk_fill, dusk_on = _fill(lifted, chroma, hue)
    dusk_soft = mix(dusk_fill, DARK_SURFACE, 0.18)
    dusk_text = _walk(
        max(lightness, 0.6),
        min(chroma, 0.13),
        hue,
        0.005,
        lambda c: min(contrast(c, dusk_soft), contrast(c, DARK_RAISED)) >= 5.2,
    )
    return Palette(fill, on, text, edge, dusk_fill, dusk_on, dusk_text)


def css_variables(colours: Palette, selector: str = ":root") -> str:
    """Return one style rule that sets the seven custom properties."""
    values = {
        "--b-fill": colours.fill,
        "--b-on": colours.on,
        "--b-text": colours.text,
        "--b-edge": colours.edge,
        "--bd-fill": colours.dusk_fill,
        "--bd-on": colours.dusk_on,
        "--bd-text": colours.dusk_text,
    }
    # The rule is printed unescaped inside <style>, so nothing but colours may pass.
    for value in values.values():
        if not _HEX.fullmatch(value):
            raise InvalidColour(value)
    return selector + "{" + ";".join(f"{name}:{value}" for name, value in values.items()) + "}"


def contrast(first: str, second: str) -> float:
    """Return the WCAG contrast ratio of two colours, 1 to 21."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1."""
    red, green, blue = _linear_rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mix(first: str, second: str, share: float) -> str:
    """Mix two colours in OKLab as CSS color-mix does; share belongs to the first."""
    pairs = zip(_oklab(first), _oklab(second), strict=True)
    lightness, a, b = (share * p + (1 - share) * q for p, q in pairs)
    return to_hex(lightness, math.hypot(a, b), math.atan2(b, a))


def to_oklch(colour: str) -> tuple[float, float, float]:
    """Return lightness, chroma and hue (radians)."""
    lightness, a, b = _oklab(colour)
    return lightness, math.hypot(a, b), math.atan2(b, a)


def to_hex(lightness: float, chroma: float, hue: float) -> str:
    """Return sRGB; chroma shrinks until the colour fits, lightness and hue stay."""
    while True:
        linear = _from_oklab(lightness, chroma * math.cos(hue), chroma * math.sin(hue))
        if chroma <= 0 or all(-0.0005 <= v <= 1.0005 for v in linear):
            return "#" + "".join(f"{round(255 * _gamma(min(1.0, max(0.0, v)))):02x}" for v in linear)
        chroma = max(0.0, chroma - 0.004)


def _walk(lightness: float, chroma: float, hue: float, step: float, passes: Callable[[str], bool]) -> str:
    while 0 <= lightness <= 1:
        colour = to_hex(lightness, chroma, hue)
        if passes(colour):
            return colour
        lightness += step
    return INK if step < 0 else WHITE


def _fill(lightness: float, chroma: float, hue: float) -> tuple[str, str]:
    darker = 0.0
    while darker <= NUDGE:
        colour = to_hex(lightness - darker, chroma, hue)
        if contrast(colour, WHITE) >= 4.5:
            return colour, WHITE
        darker += 0.005
    return _walk(lightness, chroma, hue, 0.005, lambda c: contrast(c, INK) >= 4.5), INK


def _linear_rgb(colour: str) -> tuple[float, float, float]:
    if not _HEX.fullmatch(colour):
        raise InvalidColour(colour)
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (_linear(int(digits[i : i + 2], 16) / 255) for i in (0, 2, 4))
    return red, green, blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _gamma(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else float(1.055 * value ** (1 / 2.4) - 0.055)


def _oklab(colour: str) -> tuple[float, float, float]:
    red, green, blue = _linear_rgb(colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
