"""Stripe's published test cards, tokens and bank accounts, and how each behaves."""

from __future__ import annotations

import re

# number: (brand, behaviour)
CARDS: dict[str, tuple[str, str]] = {
    "4242424242424242": ("visa", "ok"),
    "4000056655665556": ("visa", "ok"),
    "5555555555554444": ("mastercard", "ok"),
    "378282246310005": ("amex", "ok"),
    "4000000000000002": ("visa", "decline:generic_decline"),
    "4000000000009995": ("visa", "decline:insufficient_funds"),
    "4000000000000069": ("visa", "decline:expired_card"),
    "4000000000000127": ("visa", "decline:incorrect_cvc"),
    "4000000000000341": ("visa", "decline_after_attach:generic_decline"),
    "4000000000003220": ("visa", "3ds"),
    "4000002760003184": ("visa", "3ds"),
    "4000002500003155": ("visa", "3ds_once"),
    "4000000000000259": ("visa", "dispute:fraudulent"),
    "4000000000002685": ("visa", "dispute:product_not_received"),
    "4000000000001976": ("visa", "inquiry:fraudulent"),
    "4000000000005126": ("visa", "refund_fails"),
    "4000000000007726": ("visa", "refund_pending"),
}
CARD_NAMES = {
    "visa": "4242424242424242",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "visa_debit": "4000056655665556",
    "chargeDeclined": "4000000000000002",
    "visa_chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeCustomerFail": "4000000000000341",
    "threeDSecure2Required": "4000000000003220",
    "threeDSecureRequired": "4000000000003220",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredOnSetup": "4000002500003155",
    "createDispute": "4000000000000259",
    "createDisputeProductNotReceived": "4000000000002685",
    "createDisputeInquiry": "4000000000001976",
    "refundFail": "4000000000005126",
    "pendingRefund": "4000000000007726",
}
TOKENS = {f"tok_{name}": number for name, number in CARD_NAMES.items()}
CARD_METHODS = {f"pm_card_{name}": number for name, number in CARD_NAMES.items()}

BANKS = {
    "000123456789": "ok",
    "000111111113": "fail:account_closed",
    "000111111116": "fail:no_account",
    "000222222227": "fail:insufficient_funds",
    "000333333335": "fail:debit_not_authorized",
    "000555555559": "late_return",
    "000000000009": "stuck",
    # Of the double's own making: an account that can only be verified by two small deposits.
    "000999999991": "microdeposits",
}
BANK_METHODS = {
    "pm_usBankAccount_success": "000123456789",
    "pm_usBankAccount_accountClosed": "000111111113",
    "pm_usBankAccount_noAccount": "000111111116",
    "pm_usBankAccount_insufficientFunds": "000222222227",
    "pm_usBankAccount_debitNotAuthorized": "000333333335",
    "pm_usBankAccount_dispute": "000555555559",
    "pm_usBankAccount_processing": "000000000009",
    "pm_usBankAccount_microdeposits": "000999999991",
}

DECLINES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "incorrect_number": ("incorrect_number", "Your card number is incorrect."),
}


def digits_of(value: str) -> str:
    """Return a card number without its separators."""
    return re.sub(r"[\s-]", "", value)


def looks_like_test_card(value: object) -> bool:
    """Tell whether a value is one of the known card numbers, however it is spaced."""
    return isinstance(value, str) and digits_of(value) in CARDS


def passes_luhn(number: str) -> bool:
    """Check the last digit of a card number."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        amount = int(digit) * (2 if position % 2 else 1)
        total += amount - 9 if amount > 9 else amount
    return total % 10 == 0
