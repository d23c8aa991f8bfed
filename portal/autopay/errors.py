"""Why autopay was not changed; views turn each into words."""

from __future__ import annotations


class AutopayRefused(Exception):
    """Nothing was changed."""


class UnknownMandate(AutopayRefused):
    """There is no autopay of this customer, or it is over."""


class UnusableMethod(AutopayRefused):
    """The card or account is not on file, cannot be used, or stands for itself as its own fallback."""


class TooLate(AutopayRefused):
    """The day of the charge has come: it cannot be skipped any more."""
