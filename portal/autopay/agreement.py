"""What a customer agrees to when they allow autopay: the sentence, its version, and how it is kept as evidence."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.customers.models import Location
from portal.invoices.rows import address_of

# A change of the sentence is a new version of it; permissions given before keep the words they were given with.
TEXT_VERSION = "2026-11-22"


@dataclass(frozen=True, slots=True)
class Consent:
    """The words that were shown when the box was ticked, and their language."""

    text: str
    language: str
    version: str = TEXT_VERSION


def consent_words(company: str) -> str:
    """Return the sentence that is agreed to, in the active language."""
    return _(
        "I allow %(company)s to charge the invoices chosen here when they are due, within these limits, until I turn "
        "it off. I can skip a charge, pause or end this here at any time."
    ) % {"company": company}


def consent_to(company: str) -> Consent:
    """Return the sentence of a page in the active language, as it is kept."""
    return Consent(consent_words(company), (get_language() or "en")[:12])


def place_words(location: Location | None) -> str:
    """Return what a permission covers: one address, or everything."""
    return address_of(location) or _("All invoices")
