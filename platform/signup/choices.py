"""What can be chosen in the first form: trades, countries and time zones."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

TRADES = [
    ("hvac", _("Heating and air")),
    ("plumbing", _("Plumbing")),
    ("electrical", _("Electrical")),
    ("appliance", _("Appliances")),
    ("roofing", _("Roofing")),
    ("pest", _("Pest control")),
    ("landscaping", _("Lawn and garden")),
    ("cleaning", _("Cleaning")),
    ("other", _("Another trade")),
]
COUNTRIES = [("US", _("United States")), ("CA", _("Canada"))]
TIME_ZONES = [
    ("America/New_York", _("Eastern time")),
    ("America/Chicago", _("Central time")),
    ("America/Denver", _("Mountain time")),
    ("America/Phoenix", _("Arizona time")),
    ("America/Los_Angeles", _("Pacific time")),
    ("America/Anchorage", _("Alaska time")),
    ("Pacific/Honolulu", _("Hawaii time")),
    ("America/Halifax", _("Atlantic time")),
    ("America/St_Johns", _("Newfoundland time")),
    ("America/Regina", _("Saskatchewan time")),
    ("America/Puerto_Rico", _("Puerto Rico time")),
]
# A mailbox that is gone tomorrow cannot own an address that stays for good.
THROW_AWAY = frozenset(
    {
        "10minutemail.com",
        "guerrillamail.com",
        "mailinator.com",
        "maildrop.cc",
        "sharklasers.com",
        "temp-mail.org",
        "tempmail.com",
        "throwawaymail.com",
        "trashmail.com",
        "yopmail.com",
    }
)


def guess_country(accept_language: str) -> str:
    """Return the country that a browser's languages speak of; the United States when they name none of ours."""
    for part in accept_language.split(","):
        region = part.split(";")[0].strip().rpartition("-")[2].upper()
        if region in dict(COUNTRIES):
            return region
    return "US"
