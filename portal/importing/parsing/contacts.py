"""Read phone numbers and e-mail addresses, several in a cell, as people type them."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers

from portal.accounts.emails import NoEmailAddress, normalise_email

from .money import is_empty

_PLACEHOLDERS = re.compile(
    r"(?:no|none|noemail|no-email|na|n/a|test|fake|null|unknown|sincorreo)@(?:no|none|noemail|na|test|fake|null|unknown|email)"
    r"(?:\.\w+)+",
    re.IGNORECASE,
)
_PHONE_SPLIT = re.compile(r"\s*(?:[;\n|]|\s/\s|,(?!\s*e?xt)|\bor\b|\bo\b|&)\s*", re.IGNORECASE)
_EXTENSION = re.compile(r"[,\s]*(?:e?xt(?:ension)?\.?|x|#)\s*[:.]?\s*(\d{1,7})\s*$", re.IGNORECASE)
_LABEL = re.compile(r"^\s*(?:cell|mobile|home|work|office|tel|phone|fax|m|h|w|c|o|t|p)\s*[:.]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Phone:
    """A dialable number in E.164 and an extension, digits only, that may be empty."""

    number: str
    extension: str = ""


def parse_phones(text: str, *, region: str) -> tuple[tuple[Phone, ...], tuple[str, ...]]:
    """Return the numbers of a cell in E.164 and the pieces that are no complete number.

    `region` is the ISO country whose local spelling is understood.
    """
    if is_empty(text):
        return (), ()
    good: list[Phone] = []
    bad: list[str] = []
    for piece in _PHONE_SPLIT.split(unicodedata.normalize("NFKC", text)):
        piece = piece.strip(" .,'\"")
        if is_empty(piece) or not piece.strip("0 -"):
            continue
        phone = _parse_phone(piece, region)
        if phone is None:
            bad.append(piece[:60])
        elif phone not in good:
            good.append(phone)
    return tuple(good), tuple(bad)


def _parse_phone(text: str, region: str) -> Phone | None:
    plain = _LABEL.sub("", text)
    extension = ""
    if match := _EXTENSION.search(plain):
        extension, plain = match[1], plain[: match.start()]
    if re.fullmatch(r"\d+\.0+", plain):
        plain = plain.partition(".")[0]
    elif re.fullmatch(r"\d\.\d+[eE]\+?\d{1,2}", plain):
        # A spreadsheet has turned the number into a float; fifteen digits survive that.
        plain = str(int(float(plain)))
    if not re.fullmatch(r"[\d\s()+./\u2010-\u2015-]{5,30}", plain):
        return None
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), extension)


def parse_emails(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the normalised addresses of a cell, in order and once each, and the pieces that are none."""
    if is_empty(text):
        return (), ()
    good: list[str] = []
    bad: list[str] = []
    for piece in _email_pieces(text):
        if match := re.search(r"<([^<>]*)>", piece):
            piece = match[1].strip()
        if is_empty(piece):
            continue
        address = read_email(piece)
        if address is None:
            bad.append(piece[:100])
        elif address not in good:
            good.append(address)
    return tuple(good), tuple(bad)


def _email_pieces(text: str) -> Iterator[str]:
    for piece in re.split(r"[;,\n|]|\s/\s", text):
        piece = piece.strip(" \t.'\"")
        words = piece.split()
        # A blank separates addresses only if each part is one; "john smith@…" must not become somebody else.
        if "<" not in piece and words and all("@" in word for word in words):
            yield from words
        else:
            yield piece


def read_email(text: str) -> str | None:
    """Return the address in the one spelling we store (AUN-21), or None when it is none or a placeholder."""
    try:
        address = normalise_email(re.sub(r"^mailto:", "", text.strip(" ."), flags=re.IGNORECASE))
    except NoEmailAddress:
        return None
    return None if _PLACEHOLDERS.fullmatch(address) else address
