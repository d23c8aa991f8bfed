"""Why something about an estimate was not done; views turn each into words."""

from __future__ import annotations


class EstimateRefused(Exception):
    """Nothing was changed."""


class NewerVersion(EstimateRefused):
    """The company has sent another version since the page was loaded (AUZ-14)."""


class HasExpired(EstimateRefused):
    """The estimate's last day is over (EST-06)."""


class BeingRevised(EstimateRefused):
    """Changes were asked for; there is nothing to approve until the next version comes."""


class AlreadyDecided(EstimateRefused):
    """Somebody has approved or declined it."""


class ChoiceUnknown(EstimateRefused):
    """The option is none of this version."""


class TotalChanged(EstimateRefused):
    """The total on the page is not that of the choice."""


class NotSigned(EstimateRefused):
    """The name or the consent is missing."""


class ReasonMissing(EstimateRefused):
    """What should change was not said."""


class NotEditable(EstimateRefused):
    """It is approved, canceled or an invoice already."""


class NothingNew(EstimateRefused):
    """There is no version that could be sent."""


class NotCancelable(EstimateRefused):
    """It is canceled, or an invoice already."""


class NotConvertible(EstimateRefused):
    """Only an approved estimate becomes an invoice, and only once."""


class NumberTaken(EstimateRefused):
    """Another invoice has this number."""


class TooOften(EstimateRefused):
    """It was asked for a moment ago."""
