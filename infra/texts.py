"""Brings what people type onto one line that reads the same everywhere."""

from __future__ import annotations

import unicodedata

# Marks that turn the direction of what follows: a name with one of them changes the sentence around it.
_TURNS = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def one_line(text: str) -> str:
    """Return the text on one line, without control characters and marks of direction: it goes into headers of mail."""
    plain = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)
    return " ".join(unicodedata.normalize("NFC", plain.translate(_TURNS)).split())
