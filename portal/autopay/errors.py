"""Why autopay was not changed; views turn each into words."""

from __future__ import annotations


class AutopayRefused(Exception):
    """Nothing was changed."""


class UnknownMandate(AutopayRefused):
    """There is no autopay of this customer, or it is over."""


class UnusableMethod(AutopayRefused):
    """The card or account is not on file, cannot be used, or stands for itself as its own fallback."""


class UnknownPlace(AutopayRefused):
    """The address is none of the customer's, or work is not done there any more."""


class CoversAll(AutopayRefused):
    """Autopay for all invoices is on: an address of its own would be charged twice over."""


class HeldByOffice(AutopayRefused):
    """The office paused it: only the office goes on."""


class NotHeld(AutopayRefused):
    """The office goes on with what it paused itself, never with what the customer paused."""


class NotActive(AutopayRefused):
    """It is paused already."""


class TooLate(AutopayRefused):
    """The day of the charge has come: it cannot be skipped any more."""
