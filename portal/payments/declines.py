"""Declines in words a homeowner can act on; Stripe's own messages are not shown."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as mark

NOT_APPROVED = mark("Your bank didn’t approve this card")
NOTHING_CHARGED = mark("Nothing was charged. Try another card, or call us.")

# What is said of our own refusals is the same for cards and accounts.
OURS = ("form_expired", "not_now")

# Codes and decline codes of Stripe → heading, sentence. Fraud codes say no more than a plain decline does.
WORDS: dict[str, tuple[str, str]] = {
    "insufficient_funds": (
        mark("There isn’t enough money on this card"),
        mark("Nothing was charged. Try another card, or call us."),
    ),
    "expired_card": (
        mark("This card has expired"),
        mark("Nothing was charged. Check the date, or try another card."),
    ),
    "incorrect_cvc": (
        mark("The security code doesn’t match"),
        mark("Nothing was charged. Check the three or four digits on the card and try again."),
    ),
    "incorrect_number": (
        mark("The card number doesn’t match"),
        mark("Nothing was charged. Check the number and try again."),
    ),
    "incorrect_zip": (
        mark("The ZIP code doesn’t match the card"),
        mark("Nothing was charged. Check it and try again."),
    ),
    "card_velocity_exceeded": (
        mark("This card has reached its limit"),
        mark("Nothing was charged. Try another card, or call us."),
    ),
    "withdrawal_count_limit_exceeded": (
        mark("This card has reached its limit"),
        mark("Nothing was charged. Try another card, or call us."),
    ),
    "card_not_supported": (
        mark("This card can’t be used for this payment"),
        mark("Nothing was charged. Try another card, or call us."),
    ),
    "currency_not_supported": (
        mark("This card can’t be used for this payment"),
        mark("Nothing was charged. Try another card, or call us."),
    ),
    "processing_error": (
        mark("Something went wrong at the bank"),
        mark("Nothing was charged. Try again in a moment."),
    ),
    "try_again_later": (
        mark("Something went wrong at the bank"),
        mark("Nothing was charged. Try again in a moment."),
    ),
    "authentication_required": (
        mark("Your bank wants to check that it’s you"),
        mark("Nothing was charged. Try again and follow your bank’s steps, or use another card."),
    ),
    "payment_intent_authentication_failure": (
        mark("Your bank couldn’t check that it’s you"),
        mark("Nothing was charged. Try again, or use another card."),
    ),
    "form_expired": (
        mark("The card form has expired"),
        mark("Nothing was charged. Enter the card once more."),
    ),
    "not_now": (
        mark("Card payments don’t work right now"),
        mark("Nothing was charged. Try again in a few minutes, or call us."),
    ),
}


# What banks answer to a debit of an account (F16).
BANK_NOT_APPROVED = mark("Your bank didn’t accept the debit")
BANK_NOTHING_CHARGED = mark("Nothing was paid. Try another account or a card, or call us.")
BANK_WORDS: dict[str, tuple[str, str]] = {
    "account_closed": (mark("This bank account is closed"), BANK_NOTHING_CHARGED),
    "no_account": (mark("The bank doesn’t know this account"), BANK_NOTHING_CHARGED),
    "insufficient_funds": (mark("There isn’t enough money in this account"), BANK_NOTHING_CHARGED),
    "debit_not_authorized": (mark("The bank doesn’t allow debits of this account"), BANK_NOTHING_CHARGED),
    "mandate_invalid": (mark("This bank account has to be added again"), BANK_NOTHING_CHARGED),
}


def words_for(failure_code: str, decline_code: str, kind: str = "card") -> tuple[str, str]:
    """Return heading and sentence for a failed payment, the decline code first: it says more."""
    if kind == "us_bank_account" and failure_code not in OURS:
        title, text = BANK_WORDS.get(failure_code) or (BANK_NOT_APPROVED, BANK_NOTHING_CHARGED)
        return _(title), _(text)
    title, text = WORDS.get(decline_code) or WORDS.get(failure_code) or (NOT_APPROVED, NOTHING_CHARGED)
    return _(title), _(text)
