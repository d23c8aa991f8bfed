"""Money, dates and times in words, in the reader's language."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal, get_currency_precision, get_decimal_symbol
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

# The product is sold in the United States: its Spanish writes $601.50, not 601,50 US$.
_REGIONAL = {"en": "en_US", "es": "es_US"}

DATE_PATTERNS = {
    "short": "EEE d MMM",
    "full": "EEEE d MMMM",
    "day": "d MMM",
    "year": "d MMM yyyy",
    "full_year": "EEEE d MMMM yyyy",
    "month": "MMMM yyyy",
}
# Long dates want their little words; the short ones are the same in both languages.
SPANISH_PATTERNS = {
    "full": "EEEE d 'de' MMMM",
    "full_year": "EEEE d 'de' MMMM 'de' yyyy",
    "month": "MMMM 'de' yyyy",
}


def locale() -> Locale:
    """Return Babel's locale for the active language."""
    language = get_language() or "en"
    return Locale.parse(_REGIONAL.get(language, language.replace("-", "_")))


def format_money(cents: int, currency: str, *, short: bool = False) -> str:
    """Return an amount such as $412.50; `cents` counts the smallest unit of the currency.

    A short amount leaves out a zero after the point: $79.
    """
    digits = get_currency_precision(currency)
    amount = Decimal(cents).scaleb(-digits)
    here = locale()
    if short and amount == amount.to_integral_value():
        pattern = here.currency_formats["standard"].pattern.split(";")[0].replace("0.00", "0")
        return str(format_currency(amount, currency.upper(), format=pattern, locale=here, currency_digits=False))
    return str(format_currency(amount, currency.upper(), locale=here))


def format_number(value: int) -> str:
    """Return a count such as 1,086."""
    return str(format_decimal(value, locale=locale()))


def format_money_parts(cents: int, currency: str) -> SafeString:
    """Return the amount with its small unit raised, for the one large figure of a page."""
    text = format_money(cents, currency)
    separator = re.escape(get_decimal_symbol(locale()))
    match = re.fullmatch(rf"(.*?)({separator}\d+)(.*)", text)
    if match is None:
        return format_html("{}", text)
    return format_html("{}<sup>{}</sup>{}", *match.groups())


def format_weekday_date(value: date, style: str = "short") -> str:
    """Return a date in one of DATE_PATTERNS; a moment is taken in the current time zone."""
    if isinstance(value, datetime):
        value = _local(value).date()
    here = locale()
    pattern = DATE_PATTERNS[style]
    if here.language == "es":
        pattern = SPANISH_PATTERNS.get(style, pattern)
    return str(format_date(value, pattern, locale=here))


def format_clock(value: datetime) -> str:
    """Return the time of day, such as 7:58 am, in the current time zone."""
    here = locale()
    pattern = "h:mm a" if here.territory == "US" else "HH:mm"
    text = str(format_time(_local(value).timetz().replace(tzinfo=None), pattern, locale=here))
    return text.replace("AM", "am").replace("PM", "pm")


def _local(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value
