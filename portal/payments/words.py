"""Words about payments that several pages and mails share."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

# Brands are names: they are not translated, only written as their owners do.
BRANDS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover"}


def method_words(method: dict[str, Any]) -> str:
    """Return a payment method as people call it: Visa ending 4242."""
    brand, last4 = str(method.get("brand", "")), str(method.get("last4", ""))
    if brand and last4:
        shown = BRANDS.get(brand, brand.replace("_", " ").title())
        return _("%(brand)s ending %(last4)s") % {"brand": shown, "last4": last4}
    return _("Card")
