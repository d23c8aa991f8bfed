"""A logo is decided by its content, bounded before it is decoded, and drawn anew (UPL-03…07)."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image, PngImagePlugin

from portal.documents.images import LOGO_BOX, MAX_BYTES, BadImage, draw_logo
from portal.documents.models import MediaItem
from portal.documents.services import remove_logo, store_logo
from portal.settings.models import CompanyProfile
from tenants.audit import Actor
from tenants.context import TenantFacts, prove_tenant
from tests.cast import ACME, NOW

OLIVE = Actor("staff", None, "Olive Owens")


def picture(size: tuple[int, int] = (300, 100), kind: str = "PNG", mode: str = "RGB", **save: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 120 if mode in ("L", "P") else None).save(out, kind, **save)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that only claims its size: decoding it would take width × height pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def truncated() -> bytes:
    data = picture((800, 800), kind="JPEG")
    return data[: len(data) // 2]


def gif() -> bytes:
    return picture(kind="GIF")


SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BAD = {
    "svg with script": (SCRIPT, "SVG"),
    "svg with declaration": (b'<?xml version="1.0"?>' + SCRIPT, "SVG"),
    "svg behind a byte order mark": (b"\xef\xbb\xbf \n" + SCRIPT, "SVG"),
    "html named logo.png": (b"<!doctype html><script>alert(1)</script>", "web page"),
    "forty megapixels": (png_header(8000, 5000), "too many pixels"),
    "a bomb": (png_header(60000, 60000), "too many pixels|can’t read"),
    "larger than the limit": (picture() + b"\0" * MAX_BYTES, "larger than 1 MB"),
    "cut off in the middle": (truncated(), "can’t read"),
    "animated elsewhere": (gif(), "PNG, JPEG or WebP"),
    "a pdf": (b"%PDF-1.7\n" + b"x" * 200, "PNG, JPEG or WebP"),
    "zip that begins like nothing": (b"PK\x03\x04" + b"\0" * 200, "PNG, JPEG or WebP"),
    "empty": (b"", "PNG, JPEG or WebP"),
    "one pixel": (picture((1, 1)), "too small"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "PNG, JPEG or WebP"),
}


@pytest.fixture
def tenant(acme: Any, settings: Any, tmp_path: Any) -> TenantFacts:
    settings.MEDIA_ROOT = tmp_path
    return prove_tenant(ACME, timezone.now()).tenant


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_logo_is_refused_with_a_sentence(tenant: TenantFacts, tmp_path: Any, name: str) -> None:
    """UPL-04, UPL-05: nothing is stored, in no table and in no folder."""
    data, words = BAD[name]
    with pytest.raises(BadImage, match=words):
        store_logo(tenant=tenant, data=data, by=OLIVE, now=NOW)
    assert MediaItem.objects.count() == 0
    assert list(tmp_path.rglob("*.*")) == []


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGBA")]
)
def test_usual_pictures_become_our_own_png(kind: str, mode: str) -> None:
    """UPL-05: whatever comes in, PNG goes out, in two shapes and within bounds."""
    logo = draw_logo(picture((1200, 400), kind=kind, mode=mode))
    for drawing in (logo.wide, logo.tile):
        again = Image.open(io.BytesIO(drawing.data))
        assert again.format == "PNG"
        assert again.size == (drawing.width, drawing.height)
    assert logo.wide.width <= LOGO_BOX[0]
    assert logo.wide.height <= LOGO_BOX[1]
    assert logo.tile.width == logo.tile.height


def test_nothing_of_the_file_survives_but_its_pixels() -> None:
    """UPL-03, UPL-05: no place, no comment, no script behind the picture."""
    exif = Image.Exif()
    exif[0x010E] = "CANARY-EXIF"
    jpeg = picture(kind="JPEG", exif=exif.tobytes(), comment=b"CANARY-COMMENT") + b"<script>CANARY-TAIL</script>"
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "CANARY-TEXT")
    png = picture(pnginfo=info)
    for data in (jpeg, png):
        assert b"CANARY" in data
        logo = draw_logo(data)
        assert b"CANARY" not in logo.wide.data + logo.tile.data


def test_a_logo_is_kept_under_a_random_key_in_the_companys_folder(tenant: TenantFacts, tmp_path: Any) -> None:
    """UPL-07, ISO: the name says nothing, the folder is the tenant's."""
    item = store_logo(tenant=tenant, data=picture(), by=OLIVE, now=NOW)
    assert item.storage_key.startswith(f"{ACME}/")
    assert len(item.storage_key.rpartition("/")[2]) > 30
    assert CompanyProfile.objects.get().logo_id == item.pk
    with default_storage.open(item.storage_key) as file:
        assert Image.open(file).size == (300, 100)
    assert {path.parent.name for path in tmp_path.rglob("*.png")} == {str(ACME)}


def test_a_new_logo_takes_the_old_ones_files_with_it(
    tenant: TenantFacts, tmp_path: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """UPL-12: nothing is left of what was replaced or removed."""
    with django_capture_on_commit_callbacks(execute=True):
        first = store_logo(tenant=tenant, data=picture(), by=OLIVE, now=NOW)
        second = store_logo(tenant=tenant, data=picture((200, 200)), by=OLIVE, now=NOW)
    assert MediaItem.objects.get().pk == second.pk
    assert first.storage_key != second.storage_key
    assert len(list(tmp_path.rglob("*.png"))) == 2
    with django_capture_on_commit_callbacks(execute=True):
        remove_logo(by=OLIVE, now=NOW)
        remove_logo(by=OLIVE, now=NOW)
    assert list(tmp_path.rglob("*.png")) == []
    assert CompanyProfile.objects.get().logo is None
