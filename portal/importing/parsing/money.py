"""Read amounts as people and programs write them; the decimal mark is decided once for a column."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal

DecimalMark = Literal[".", ","]

LARGEST_CENTS = 10_000_000_000_00

_EMPTY = "- -- — – ― n/a na none null nil #n/a ? ninguno"
_CODES = (
    "AED ARS AUD BRL CAD CHF CLP CNY COP CRC CZK DKK DOP EUR GBP GTQ HKD HNL HUF ILS INR JPY KRW MXN "
    "MYR NIO NOK NZD PAB PEN PHP PLN PYG RON SAR SEK SGD THB TRY TWD UAH USD UYU VES ZAR"
)
EMPTY_WORDS = frozenset(["", *_EMPTY.split()])
CURRENCIES = frozenset(_CODES.split())
_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD", "ARS", "CLP", "COP", "DOP", "TWD"})
_SYMBOLS: dict[str, frozenset[str]] = {
    "$": _DOLLARS,
    "us$": frozenset({"USD"}),
    "c$": frozenset({"CAD"}),
    "ca$": frozenset({"CAD"}),
    "a$": frozenset({"AUD"}),
    "mx$": frozenset({"MXN"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "¥": frozenset({"JPY", "CNY"}),
    "₹": frozenset({"INR"}),
    "dollars": _DOLLARS,
    "dollar": _DOLLARS,
    "euro": frozenset({"EUR"}),
    "euros": frozenset({"EUR"}),
}
_MINUS = str.maketrans(dict.fromkeys("−–—‐‑", "-") | dict.fromkeys("’‘`´", "'"))
_GROUP_BLANKS = re.compile(r"(?<=\d)[\s\u00a0\u202f\u2009'](?=\d{3}(?!\d))")
_AFFIX = r"[A-Za-z]{0,8}\s*[$€£¥₹]?|[$€£¥₹]\s*[A-Za-z]{0,3}"
_SHAPE = re.compile(rf"(?P<before>{_AFFIX})\s*(?P<number>[0-9.,]+(?:[eE][+-]?\d{{1,2}})?)\s*(?P<after>{_AFFIX})")
_WESTERN = {mark: re.compile(rf"\d{{1,3}}(?:\{mark}\d{{3}})+") for mark in ".,"}
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})*,\d{3}")


class ValueRefused(ValueError):
    """A cell cannot be read; `code` names the reason in the list of issues."""

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.params = params
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class ColumnMark:
    """The decimal mark of a column; `mixed` when cells contradict each other, `proven` when one decided."""

    mark: DecimalMark
    proven: bool = False
    mixed: bool = False


def is_empty(text: str) -> bool:
    """Tell whether the cell holds nothing, or one of the ways to write nothing."""
    return text.strip().casefold() in EMPTY_WORDS


@lru_cache(maxsize=8192)
def mark_evidence(text: str) -> DecimalMark | None:
    """Return the decimal mark this cell proves, or None when it fits both."""
    digits = re.sub(r"[^0-9.,]", "", _GROUP_BLANKS.sub("", unicodedata.normalize("NFKC", text))).strip(".,")
    marks = re.findall(r"[.,]", digits)
    if not marks:
        return None
    if len(set(marks)) == 2:
        return "." if marks[-1] == "." else ","
    mark = marks[0]
    other: DecimalMark = "," if mark == "." else "."
    if len(marks) > 1:
        return other
    whole, fraction = digits.split(mark)
    if len(fraction) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0"):
        return None
    return "." if mark == "." else ","


def decide_mark(votes: Iterable[DecimalMark | None], *, default: DecimalMark = ".") -> ColumnMark:
    """Decide the decimal mark of a column from the evidence of its cells."""
    points = commas = 0
    for vote in votes:
        points += vote == "."
        commas += vote == ","
    if points == commas:
        return ColumnMark(default, proven=False, mixed=points > 0)
    return ColumnMark("." if points > commas else ",", proven=True, mixed=min(points, commas) > 0)


@lru_cache(maxsize=8192)
def parse_amount(text: str, *, mark: DecimalMark, currency: str = "USD") -> Decimal | None:
    """Return the number in the cell, or None for an empty one; brackets, minus and CR make it negative.

    A cell whose shape admits one reading keeps that reading whatever the column says.
    Raises ValueRefused(not_a_number, other_currency, too_large).
    """
    if is_empty(text):
        return None
    plain = unicodedata.normalize("NFKC", text).strip().translate(_MINUS)
    plain, negative = _take_sign(plain)
    match = _SHAPE.fullmatch(_GROUP_BLANKS.sub("", plain))
    if match is None:
        raise ValueRefused("not_a_number")
    for affix in (match["before"], match["after"]):
        _check_currency(affix, currency)
    number = _plain_number(match["number"], mark_evidence(match["number"]) or mark)
    if number > Decimal(LARGEST_CENTS) / 100:
        raise ValueRefused("too_large")
    return -number if negative else number


def to_cents(amount: Decimal) -> tuple[int, bool]:
    """Return whole cents, rounded half up away from zero, and whether anything was lost.

    Differences below a ten-thousandth come from binary fractions in spreadsheets and are not a loss.
    """
    exact = amount * 100
    cents = exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return int(cents), abs(exact - cents) >= Decimal("0.01")


def parse_currency(text: str) -> str | None:
    """Return the ISO code in a currency column, or None for an empty cell.

    Raises ValueRefused(unknown_currency).
    """
    if is_empty(text):
        return None
    code = text.strip().upper()
    if code in CURRENCIES:
        return code
    found = _SYMBOLS.get(text.strip().casefold())
    if found is not None and len(found) == 1:
        return next(iter(found))
    if found is not None:
        return None
    raise ValueRefused("unknown_currency")


def _take_sign(text: str) -> tuple[str, bool]:
    negative = False
    credit = re.fullmatch(r"(.*\d)\s*CR", text, re.IGNORECASE)
    if credit:
        text, negative = credit[1], True
    bracketed = re.fullmatch(r"([^\d()]*)\(([^()]*)\)([^\d()]*)", text)
    if bracketed:
        text, negative = "".join(bracketed.groups()), True
    if text.count("-") == 1 and re.match(r"[^\d.,]*-|.*\d\s*-\s*[^\d]*$", text):
        # Brackets around a minus are one sign written twice, not two that cancel out.
        text, negative = text.replace("-", ""), True
    elif text.startswith("+"):
        text = text[1:]
    return text.strip(), negative


def _check_currency(affix: str, currency: str) -> None:
    word = re.sub(r"\s", "", affix).casefold()
    if not word:
        return
    fits = _SYMBOLS.get(word)
    if fits is None and word.upper() in CURRENCIES:
        fits = frozenset({word.upper()})
    if fits is None and word[-1] in _SYMBOLS and word[:-1].upper() in CURRENCIES:
        fits = frozenset({word[:-1].upper()})
    if fits is None and word[0] in _SYMBOLS and word[1:].upper() in CURRENCIES:
        fits = frozenset({word[1:].upper()})
    if fits is None:
        raise ValueRefused("not_a_number")
    if currency not in fits:
        raise ValueRefused("other_currency", currency=currency)


def _plain_number(digits: str, mark: DecimalMark) -> Decimal:
    mantissa, _, exponent = digits.lower().partition("e")
    group = "," if mark == "." else "."
    whole, _, fraction = mantissa.partition(mark)
    grouped = _WESTERN[group].fullmatch(whole) or (group == "," and _INDIAN.fullmatch(whole))
    if (group in whole and not grouped) or group in fraction or mark in fraction or not (whole or fraction):
        raise ValueRefused("not_a_number")
    number = Decimal(f"{whole.replace(group, '') or '0'}.{fraction or '0'}")
    return number.scaleb(int(exponent)) if exponent else number
