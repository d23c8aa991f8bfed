"""Payment methods: built from test instruments, resolved from ids, attached to customers."""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any

from infra.stripe_double.double import Scope
from infra.stripe_double.errors import Json, StripeError, invalid, missing
from infra.stripe_double.instruments import (
    BANK_METHODS,
    BANKS,
    CARD_METHODS,
    CARDS,
    TOKENS,
    digits_of,
    passes_luhn,
)
from infra.stripe_double.templates import blank

EMPTY_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
RAW_CARD_MESSAGE = (
    "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test "
    "tokens that map to the test card you are using, see https://stripe.com/docs/testing."
)


def method_from_data(scope: Scope, data: Json) -> Json:
    """Create a payment method from `payment_method_data`.

    Raises StripeError for a type or field that cannot be used.
    """
    billing = data.get("billing_details") or {}
    if data.get("type") == "card":
        card = data.get("card") or {}
        if "token" in card:
            if card["token"] not in TOKENS:
                raise missing("token", card["token"], param="card[token]")
            return new_card(scope, TOKENS[card["token"]], billing=billing)
        return new_card(scope, _checked_number(card), billing=billing, expiry=_checked_expiry(scope, card))
    if data.get("type") == "us_bank_account":
        if not billing.get("name"):
            name = "billing_details[name]"
            raise invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)
        return new_bank(scope, data.get("us_bank_account") or {}, billing=billing)
    raise invalid(f"Invalid payment method type: {data.get('type')}", param="type")


def _checked_number(card: Json) -> str:
    number = digits_of(str(card.get("number", "")))
    if not re.fullmatch(r"\d{12,19}", number) or not passes_luhn(number):
        raise StripeError(402, "card_error", "Your card number is incorrect.", code="incorrect_number", param="number")
    return number


def _checked_expiry(scope: Scope, card: Json) -> tuple[int, int]:
    try:
        month, year = int(card["exp_month"]), int(card["exp_year"])
    except (KeyError, ValueError) as error:
        raise invalid(
            "Your card's expiration date is incomplete.", code="invalid_expiry_month", param="exp_month"
        ) from error
    if not 1 <= month <= 12:
        message = "Your card's expiration month is invalid."
        raise StripeError(402, "card_error", message, code="invalid_expiry_month", param="exp_month")
    now_year, now_month = _calendar(scope.store.now())
    if (year, month) < (now_year, now_month):
        message = "Your card's expiration year is invalid."
        raise StripeError(402, "card_error", message, code="invalid_expiry_year", param="exp_year")
    return month, year


def _calendar(timestamp: int) -> tuple[int, int]:
    moment = time.gmtime(timestamp)
    return moment.tm_year, moment.tm_mon


def new_card(scope: Scope, number: str, *, billing: Json | None = None, expiry: tuple[int, int] = (12, 2034)) -> Json:
    """Create a card payment method; an unknown number is declined as incorrect."""
    brand, behaviour = CARDS.get(number, ("visa", "decline:incorrect_number"))
    method = scope.create("payment_method", "pm_1", type="card", billing_details=_billing(billing), metadata={})
    method["card"] = {
        "brand": brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": "pass" if method["billing_details"]["address"]["postal_code"] else None,
            "cvc_check": "pass",
        },
        "country": "US",
        "display_brand": brand,
        "exp_month": expiry[0],
        "exp_year": expiry[1],
        "fingerprint": _fingerprint(number),
        "funding": "credit",
        "generated_from": None,
        "last4": number[-4:],
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    method["_behaviour"] = behaviour
    return method


def new_bank(scope: Scope, bank: Json, *, billing: Json | None = None) -> Json:
    """Create a US bank account payment method."""
    number = str(bank.get("account_number", ""))
    if not re.fullmatch(r"\d{4,17}", number):
        raise invalid("The bank account number is invalid.", param="us_bank_account[account_number]")
    method = scope.create(
        "payment_method", "pm_1", type="us_bank_account", billing_details=_billing(billing), metadata={}
    )
    method["us_bank_account"] = {
        "account_holder_type": bank.get("account_holder_type", "individual"),
        "account_type": bank.get("account_type", "checking"),
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": _fingerprint(number),
        "last4": number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": bank.get("routing_number", "110000000"),
        "status_details": {},
    }
    method["_behaviour"] = BANKS.get(number, "ok")
    return method


def resolve_method(scope: Scope, method_id: str) -> Json:
    """Return a stored payment method, or create the test instrument a `pm_card_…` id stands for."""
    stored = scope.book.kind("payment_method").get(method_id)
    if stored is not None:
        return stored
    if method_id in CARD_METHODS:
        return new_card(scope, CARD_METHODS[method_id])
    if method_id in BANK_METHODS:
        holder = {"name": "Jenny Rosen", "email": "jenny@example.com"}
        return new_bank(scope, {"account_number": BANK_METHODS[method_id]}, billing=holder)
    raise missing("PaymentMethod", method_id, param="payment_method")


def attach_method(scope: Scope, method: Json, customer_id: str) -> None:
    """Attach a payment method to a customer.

    Raises StripeError 400 when it belongs to another customer or was detached before.
    """
    if method["customer"] and method["customer"] != customer_id:
        raise invalid("The payment method you provided has already been attached to a customer.")
    if method.get("_detached"):
        raise invalid(
            "This PaymentMethod was previously used without being attached to a Customer or was detached "
            "from a Customer, and may not be used again."
        )
    if not method["customer"]:
        method["customer"] = customer_id
        scope.emit("payment_method.attached", method)


def refuse_raw_cards(params: Any) -> None:
    """Refuse card numbers sent with a secret key, wherever they are.

    Raises StripeError 402; a test in which a number crosses our own server must fail.
    """
    if isinstance(params, list):
        for item in params:
            refuse_raw_cards(item)
    elif isinstance(params, dict):
        for key, value in params.items():
            if key == "card" and isinstance(value, dict) and "number" in value:
                raise invalid(RAW_CARD_MESSAGE, status=402)
            if isinstance(value, str) and digits_of(value) in CARDS:
                raise invalid(RAW_CARD_MESSAGE, status=402)
            refuse_raw_cards(value)


def _billing(given: Json | None) -> Json:
    details = {**blank("billing_details"), **(given or {})}
    details["address"] = {**EMPTY_ADDRESS, **(details.get("address") or {})}
    return details


def _fingerprint(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()[:16]
