"""What every PDF has in common: how it is made, the company's letterhead, its name and how it is handed out."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any, Literal

import typst
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.ui.brand import BrandView

log = logging.getLogger("porchlight.paper")

# No font shows these; a line break alone means something.
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def compile_typst(source: Path, data: dict[str, Any], *, about: str) -> bytes:
    """Return the PDF of a source and the texts it shows, tagged for screen readers."""
    text = json.dumps(_printable(data))
    try:
        return _compile(source, text, "ua-1")
    except typst.TypstError:
        # The standard forbids signs for which there is no glyph, such as Chinese ones; an invoice is due all the same.
        log.warning("document has signs that the font lacks", extra={"document": source.stem, "about": about})
        return _compile(source, text, None)


def _compile(source: Path, data: str, standard: Literal["ua-1"] | None) -> bytes:
    pdf: bytes = typst.compile(
        source.read_bytes(), sys_inputs={"data": data}, pdf_standards=standard, ignore_system_fonts=True
    )
    return pdf


def _printable(value: Any) -> Any:
    """Return the same texts without control characters."""
    if isinstance(value, dict):
        return {key: _printable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_printable(part) for part in value]
    return _CONTROLS.sub(" ", value)


def letterhead(brand: BrandView) -> dict[str, Any]:
    """Return what stands at the top of every paper, in the active language."""
    licence = _("License %(number)s") % {"number": brand.licence} if brand.licence else ""
    return {
        "language": (get_language() or "en")[:2],
        "company": brand.name,
        "contact": [part for part in (brand.address, brand.phone, brand.email, licence) if part],
        "colour": brand.palette.text if brand.palette else "#12484b",
    }


def file_name(kind: str, number: str) -> str:
    """Return a file name that is the same on every system and cannot leave its folder (UPL-07)."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", number).strip("-")
    return f"{kind}-{safe or 'copy'}.pdf"


def hand_out(pdf: bytes, name: str) -> HttpResponse:
    """Answer with a PDF as a file; nothing in it may run or load anything."""
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
