"""How one payment is made: with what the form's token stands for, or with a method on file (PAY-02…04, PAY-20)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from portal.payments import errors
from portal.payments.models import PaymentMethod
from portal.payments.plans import PayRules
from tenants.audit import Actor

Kind = PaymentMethod.Kind
TOKEN = re.compile(r"ctoken_\w{1,57}")
# The words of the company's setting → Stripe's types.
TYPES = {"card": "card", "ach": "us_bank_account"}
BANK_CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class Way:
    """The part of a call to Stripe that says with what is paid."""

    token: str = ""
    method: PaymentMethod | None = None
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Return card or bank as far as it is known before Stripe has answered."""
        return self.method.kind if self.method else Kind.CARD


def excluded_types(rules: PayRules, currency: str) -> list[str]:
    """Return the types of payment method that are not offered; bank debits are in dollars only. Pure."""
    offered = {TYPES[name] for name in rules.methods if name != "ach" or currency == BANK_CURRENCY}
    return [type_ for type_ in TYPES.values() if type_ not in offered]


def takes_anything(rules: PayRules, currency: str) -> bool:
    """Whether there is any way left to pay. Pure."""
    return len(excluded_types(rules, currency)) < len(TYPES)


def way_by_token(token: str, rules: PayRules, currency: str, *, saves: bool) -> Way:
    """Return the way of a form's token; raises FormReused for what is none."""
    if not TOKEN.fullmatch(token):
        raise errors.FormReused
    params: dict[str, Any] = {}
    if excluded := excluded_types(rules, currency):
        params["excluded_payment_method_types"] = excluded
    if saves and rules.lets_save:
        params["setup_future_usage"] = "off_session"
    return Way(token, None, params)


def way_on_file(
    method_id: UUID, bill_to_id: UUID, rules: PayRules, currency: str, *, by: Actor, user_agent: str
) -> Way:
    """Return the way of a method on file; raises MethodGone when it is not this customer's or not usable (PAY-20)."""
    method = find_usable(bill_to_id, rules, currency).get(method_id)
    if method is None:
        raise errors.MethodGone
    params: dict[str, Any] = {"payment_method": method.stripe_pm_id}
    if excluded := excluded_types(rules, currency):
        params["excluded_payment_method_types"] = excluded
    if method.kind == Kind.BANK:
        online = {"ip_address": by.ip or "0.0.0.0", "user_agent": user_agent or "unknown"}  # noqa: S104 - no address
        params["mandate_data"] = {"customer_acceptance": {"type": "online", "online": online}}
    return Way("", method, params)


def way_of_mandate(method_id: UUID, bill_to_id: UUID, rules: PayRules, currency: str) -> Way:
    """Return the way of a charge that its customer has allowed beforehand; raises MethodGone (PAY-20, F15)."""
    method = find_usable(bill_to_id, rules, currency).get(method_id)
    if method is None:
        raise errors.MethodGone
    return Way("", method, {"payment_method": method.stripe_pm_id, "off_session": "recurring"})


def find_usable(bill_to_id: UUID, rules: PayRules, currency: str) -> dict[UUID, PaymentMethod]:
    """Return the methods on file that can pay now, the default first."""
    excluded = excluded_types(rules, currency)
    rows = PaymentMethod.objects.filter(bill_to_id=bill_to_id, state=PaymentMethod.State.ACTIVE)
    return {row.pk: row for row in rows.exclude(kind__in=excluded).order_by("-is_default", "-id")}


def find_offered(bill_to_id: UUID, rules: PayRules, currency: str, today: date) -> dict[UUID, PaymentMethod]:
    """Return those of the usable methods to choose from: no card whose month is over, which its bank may still take."""
    usable = find_usable(bill_to_id, rules, currency)
    return {key: method for key, method in usable.items() if not has_expired(method, today)}


def has_expired(method: PaymentMethod, today: date) -> bool:
    """Whether a card's month is over; a bank account has none. Pure."""
    if not method.exp_year or not method.exp_month:
        return False
    return (method.exp_year, method.exp_month) < (today.year, today.month)
