"""Phone numbers: read as people type them, stored in E.164, shown in the local spelling."""

import phonenumbers
from phonenumbers import PhoneNumberFormat


class NoPhoneNumber(ValueError):
    """The text is not a complete phone number."""


def read_phone(text: str, country: str) -> str:
    """Return the number in E.164; `country` is the ISO country whose spelling is understood. Raises NoPhoneNumber."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise NoPhoneNumber(text) from error
    if not phonenumbers.is_possible_number(number):
        raise NoPhoneNumber(text)
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def show_phone(stored: str, country: str) -> str:
    """Return the number as people in `country` write it; what is no number comes back unchanged."""
    try:
        number = phonenumbers.parse(stored, country)
    except phonenumbers.NumberParseException:
        return stored
    at_home = phonenumbers.region_code_for_number(number) == country
    style = PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(number, style))
