"""Why something about a subscription was not done."""

from __future__ import annotations


class BillingRefused(Exception):
    """Nothing was changed."""


class AlreadySubscribed(BillingRefused):
    """The company has a plan already; it looks after it in the billing portal."""


class NotSubscribed(BillingRefused):
    """The company has never been a customer of ours at Stripe."""


class NotOffered(BillingRefused):
    """Nobody can choose this plan now."""


class TrialOver(BillingRefused):
    """The company pays already, or should: there is no trial that could be longer."""


class StripeAway(Exception):
    """Stripe did not answer, or refused; nothing was lost, the same step can be taken again."""


class SubscriptionDisagrees(Exception):
    """Stripe says something that we cannot mirror without guessing; a person has to look."""
