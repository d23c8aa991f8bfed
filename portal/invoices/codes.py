"""The code on an invoice's paper, by which anybody can ask the company whether the paper is genuine (P-35)."""

from __future__ import annotations

import io
import re
import secrets

import segno

# Without the signs that are read as one another on paper: 31 signs, so ten of them carry 49 bits.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 10
_FORM = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")


def new_short_code() -> str:
    """Return a new code, drawn at random: it says nothing about the invoice and cannot be guessed (AUZ-15)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def read_short_code(text: str) -> str | None:
    """Return a typed code in its one spelling, or None when it cannot be one. Pure."""
    code = re.sub(r"[\s\-–.]+", "", text).upper()
    return code if _FORM.fullmatch(code) else None


def spell_short_code(code: str) -> str:
    """Return a code as it is printed, in two groups. Pure."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def draw_qr(address: str) -> str:
    """Return the address as a QR code, an SVG picture. Pure."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", border=0, xmldecl=False, nl=False)
    return out.getvalue().decode()
