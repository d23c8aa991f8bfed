"""Read calendar days in the spellings of exports; day or month first is decided once for a column."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

from .money import ValueRefused, is_empty

DateOrder = Literal["mdy", "dmy"]

EARLIEST = date(1990, 1, 1)
LATEST = date(2099, 12, 31)

_EXCEL_ZERO = date(1899, 12, 30)
_MONTH_WORDS = """
jan january ene enero
feb february febrero
mar march marzo
apr april abr abril
may mayo
jun june junio
jul july julio
aug august ago agosto
sep sept september septiembre setiembre
oct october octubre
nov november noviembre
dec december dic diciembre
"""
_MONTHS = {
    name: number for number, line in enumerate(_MONTH_WORDS.strip().split("\n"), start=1) for name in line.split()
}
_OFFSET = r"(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}|[A-Z]{2,4})?"
_CLOCK = rf"(?:[T ,]+\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d+)?)?\s*(?:[ap]\.?\s?m\.?)?\s*{_OFFSET})?"
_ISO = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_CLOCK}", re.IGNORECASE)
_NUMERIC = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_CLOCK}", re.IGNORECASE)
_COMPACT = re.compile(r"(19|20)(\d{2})(\d{2})(\d{2})")
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?")
_WORDS = re.compile(rf"(?:[^\W\d]{{2,12}}\.?,?\s+)?(?P<rest>.*?){_CLOCK}", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"([^\W\d]{3,10})\.?[\s-]*(\d{1,2})(?:st|nd|rd|th)?,?[\s-]+(\d{4}|'?\d{2})", re.IGNORECASE)
_DAY_FIRST = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|\.|º)?[\s-]*(?:de\s+)?([^\W\d]{3,10})\.?,?[\s-]*(?:del?\s+)?(\d{4}|'?\d{2})",
    re.IGNORECASE,
)
_AWARE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ColumnOrder:
    """Day or month first; `mixed` when cells contradict each other, `proven` when at least one decided."""

    order: DateOrder
    proven: bool = False
    mixed: bool = False


@lru_cache(maxsize=8192)
def order_evidence(text: str) -> DateOrder | None:
    """Return the order this cell proves, or None when it fits both or carries no numeric date."""
    match = _NUMERIC.fullmatch(text.strip())
    if match is None:
        return None
    first, second = int(match[1]), int(match[3])
    if first > 12 >= second:
        return "dmy"
    if second > 12 >= first:
        return "mdy"
    return None


def decide_order(votes: Iterable[DateOrder | None], *, default: DateOrder = "mdy") -> ColumnOrder:
    """Decide the order of a column from the evidence of its cells."""
    month = day = 0
    for vote in votes:
        month += vote == "mdy"
        day += vote == "dmy"
    if month == day:
        return ColumnOrder(default, proven=False, mixed=month > 0)
    return ColumnOrder("mdy" if month > day else "dmy", proven=True, mixed=min(month, day) > 0)


@lru_cache(maxsize=8192)
def is_ambiguous(text: str) -> bool:
    """Tell whether day and month of this cell could be exchanged and mean another day."""
    match = _NUMERIC.fullmatch(text.strip())
    return bool(match and int(match[1]) <= 12 and int(match[3]) <= 12 and int(match[1]) != int(match[3]))


@lru_cache(maxsize=8192)
def parse_day(text: str, *, order: DateOrder, zone: tzinfo | None = None) -> date | None:
    """Return the calendar day, or None for an empty cell; a time with an offset is first moved to `zone`.

    Raises ValueRefused(not_a_date, date_out_of_range).
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if is_empty(plain) or re.fullmatch(r"0{1,4}[-/.]0{1,2}[-/.]0{1,4}.*", plain):
        return None
    found = _numeric_day(plain, order, zone) or _written_day(plain)
    if found is None:
        raise ValueRefused("not_a_date")
    if not EARLIEST <= found <= LATEST:
        raise ValueRefused("date_out_of_range")
    return found


def _numeric_day(text: str, order: DateOrder, zone: tzinfo | None) -> date | None:
    if zone is not None and _AWARE.fullmatch(text):
        return _shifted_day(text, zone)
    if match := _ISO.fullmatch(text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _COMPACT.fullmatch(text):
        return _day(int(match[1] + match[2]), int(match[3]), int(match[4]))
    if match := _SERIAL.fullmatch(text):
        return _EXCEL_ZERO + timedelta(days=int(match[1]))
    if match := _NUMERIC.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), _year(match[4])
        proven = order_evidence(text) or order
        return _day(year, first, second) if proven == "mdy" else _day(year, second, first)
    return None


def _shifted_day(text: str, zone: tzinfo) -> date | None:
    try:
        moment = datetime.fromisoformat(text.upper().replace(" ", "T", 1).replace(" ", ""))
    except ValueError:
        return None
    return moment.astimezone(zone).date() if moment.tzinfo else moment.date()


def _written_day(text: str) -> date | None:
    for candidate in _without_weekday_and_clock(text):
        if match := _MONTH_FIRST.fullmatch(candidate):
            month, day, year = match.groups()
        elif match := _DAY_FIRST.fullmatch(candidate):
            day, month, year = match.groups()
        else:
            continue
        number = _MONTHS.get(month.casefold())
        if number is not None:
            return _day(_year(year.lstrip("'")), number, int(day))
    return None


def _without_weekday_and_clock(text: str) -> Iterable[str]:
    yield text
    clock = re.sub(rf"{_CLOCK}$", "", text, flags=re.IGNORECASE)
    yield clock
    if match := _WORDS.fullmatch(text):
        yield match["rest"].strip()


def _year(text: str) -> int:
    number = int(text)
    if len(text) > 2:
        return number
    return 2000 + number if number < 70 else 1900 + number


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
