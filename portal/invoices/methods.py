"""Ways to pay in words, wherever money is shown."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

# Brands are names: they are not translated, only written as their owners do.
BRANDS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover"}


def method_words(method: dict[str, Any]) -> str:
    """Return a payment method as people call it: Visa ending 4242, check 1007, cash."""
    kind, reference = str(method.get("kind", "")), str(method.get("reference", ""))
    brand, last4 = str(method.get("brand", "")), str(method.get("last4", ""))
    if brand and last4:
        shown = BRANDS.get(brand, brand.replace("_", " ").title())
        return _("%(brand)s ending %(last4)s") % {"brand": shown, "last4": last4}
    if kind == "us_bank_account":
        return _("Bank account ending %(last4)s") % {"last4": last4} if last4 else _("Bank account")
    if kind == "cash":
        return _("Cash")
    if kind == "check":
        return _("Check %(number)s") % {"number": reference} if reference else _("Check")
    if kind == "other":
        return reference or _("Paid to us directly")
    return _("Card")
