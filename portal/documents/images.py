"""Turns an uploaded picture into our own: decided by content, bounded before decoding, drawn anew (UPL-03…05)."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES = 1_000_000
MAX_PIXELS = 12_000_000
LOGO_BOX = (640, 192)
TILE_SIDE = 192
FORMATS = ("PNG", "JPEG", "WEBP")


class BadImage(ValueError):
    """The file cannot become a logo; `sentence` is for the person who chose it."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Drawing:
    """A PNG we have drawn ourselves."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Logo:
    """The two shapes in which a logo is kept."""

    wide: Drawing
    tile: Drawing


def draw_logo(data: bytes) -> Logo:
    """Return a logo from an uploaded file; raises BadImage.

    Name and declared type are not looked at; nothing of the file but its pixels is kept.
    """
    if len(data) > MAX_BYTES:
        raise BadImage(_("The file is larger than 1 MB. Save the logo smaller, about 600 pixels wide is plenty."))
    if _looks_like_markup(data):
        raise BadImage(_("This is an SVG or a web page. Save the logo as PNG and choose that file."))
    picture = _decode(data)
    picture = ImageOps.exif_transpose(picture) or picture
    if picture.mode not in ("RGB", "RGBA", "P", "L", "LA"):
        picture = picture.convert("RGB")  # from CMYK and the like there is no direct way to RGBA
    picture = picture.convert("RGBA")
    wide = picture.copy()
    wide.thumbnail(LOGO_BOX, Image.Resampling.LANCZOS)
    return Logo(_encode(wide), _encode(_tile(picture)))


def _looks_like_markup(data: bytes) -> bool:
    head = data[:1024].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    return head.startswith(b"<")


def _decode(data: bytes) -> Image.Image:
    """Read the header, refuse what would be too large, only then decode."""
    unreadable = BadImage(_("We can’t read this picture. Save the logo as PNG or JPEG and choose that file."))
    try:
        with warnings.catch_warnings():
            # The limit below is stricter than the library's, which only warns.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = picture.size
    except UnidentifiedImageError as error:
        raise BadImage(_("Choose a PNG, JPEG or WebP picture.")) from error
    except (Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise unreadable from error
    if width * height > MAX_PIXELS:
        raise BadImage(_("This picture has too many pixels. Save the logo smaller, about 600 pixels wide is plenty."))
    if width < 16 or height < 16:
        raise BadImage(_("This picture is too small for a logo. It needs at least 16 pixels each way."))
    try:
        picture.load()
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise unreadable from error
    return picture


def _tile(picture: Image.Image) -> Image.Image:
    """Return the picture in the middle of a square, nothing cut off."""
    inner = picture.copy()
    inner.thumbnail((TILE_SIDE, TILE_SIDE), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (TILE_SIDE, TILE_SIDE), (0, 0, 0, 0))
    square.paste(inner, ((TILE_SIDE - inner.width) // 2, (TILE_SIDE - inner.height) // 2))
    return square


def _encode(picture: Image.Image) -> Drawing:
    # A new image has no metadata to carry over.
    clean = Image.new("RGBA", picture.size)
    clean.paste(picture, (0, 0))
    out = io.BytesIO()
    clean.save(out, "PNG", optimize=True)
    return Drawing(out.getvalue(), clean.width, clean.height)
