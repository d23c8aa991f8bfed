"""Charges, balance transactions, application fees and refunds: what money movements leave behind."""

from __future__ import annotations

from infra.stripe_double.double import Scope
from infra.stripe_double.errors import Json, invalid
from infra.stripe_double.templates import shaped

DAY = 86_400
APPLICATION = "ca_1Double"


def new_charge(scope: Scope, intent: Json, method: Json, *, status: str, captured: bool = True) -> Json:
    """Record one attempt to take the intent's amount and make it the intent's latest charge."""
    succeeded = status == "succeeded"
    charge = scope.create(
        "charge",
        "ch_3" if method["type"] == "card" else "py_3",
        amount=intent["amount"],
        amount_captured=intent["amount"] if captured and succeeded else 0,
        application_fee_amount=intent["application_fee_amount"],
        billing_details=dict(method["billing_details"]),
        calculated_statement_descriptor="STRIPE DOUBLE",
        captured=captured and status != "failed",
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        fraud_details={},
        metadata=dict(intent["metadata"]),
        outcome=_outcome(status),
        paid=succeeded,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"type": method["type"], method["type"]: _details(method)},
        receipt_email=intent["receipt_email"],
        status=status,
    )
    if succeeded:
        charge["receipt_url"] = receipt_url(scope, charge)
    intent["latest_charge"] = charge["id"]
    return charge


def receipt_url(scope: Scope, charge: Json) -> str:
    """Return the address of the double's receipt page for a charge."""
    return f"{scope.double.base_url}/pages/receipt/{scope.account}/{charge['id']}"


def _details(method: Json) -> Json:
    """Return what a charge tells of its payment method."""
    details = shaped(f"payment_method_details_{method['type']}", method[method["type"]])
    if method["type"] == "card":
        details["network"] = method["card"]["brand"]
    return details


def _outcome(status: str) -> Json:
    approved = status != "failed"
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if approved else "declined_by_network",
        "reason": None,
        "risk_level": "normal",
        "seller_message": "Payment complete." if approved else "The bank did not return any further details.",
        "type": "authorized" if approved else "issuer_declined",
    }


def new_transaction(
    scope: Scope,
    *,
    type_: str,
    amount: int,
    source: str,
    currency: str,
    fee: int = 0,
    fee_details: list[Json] | None = None,
) -> Json:
    """Record one movement of the account's balance (`amount` and `fee` in minor units)."""
    return scope.create(
        "balance_transaction",
        "txn_3",
        amount=amount,
        fee=fee,
        net=amount - fee,
        type=type_,
        source=source,
        currency=currency,
        status="pending",
        available_on=scope.store.now() + 2 * DAY,
        reporting_category={"payment": "charge", "payment_refund": "refund"}.get(type_, type_),
        fee_details=fee_details or [],
        balance_type="payments",
    )


def settle_charge(scope: Scope, intent: Json, charge: Json) -> None:
    """Book a successful charge: Stripe's own fee, the application fee, the balance transaction."""
    amount, currency = charge["amount_captured"], intent["currency"]
    by_card = charge["id"].startswith("ch_")
    fee = amount * 29 // 1000 + 30 if by_card else min(amount * 8 // 1000, 500)
    details = [_fee_detail(fee, currency, "stripe_fee", "Stripe processing fees", None)]
    if intent["application_fee_amount"]:
        _take_application_fee(scope, intent, charge)
        share = intent["application_fee_amount"]
        details.append(_fee_detail(share, currency, "application_fee", "Application fee", APPLICATION))
        fee += share
    transaction = new_transaction(
        scope,
        type_="charge" if by_card else "payment",
        amount=amount,
        source=charge["id"],
        currency=currency,
        fee=fee,
        fee_details=details,
    )
    charge["balance_transaction"] = transaction["id"]


def _fee_detail(amount: int, currency: str, type_: str, description: str, application: str | None) -> Json:
    return {
        "amount": amount,
        "application": application,
        "currency": currency,
        "description": description,
        "type": type_,
    }


def _take_application_fee(scope: Scope, intent: Json, charge: Json) -> None:
    platform = scope.platform()
    fee = platform.create(
        "application_fee",
        "fee_1",
        account=scope.account,
        amount=intent["application_fee_amount"],
        application=APPLICATION,
        charge=charge["id"],
        currency=intent["currency"],
    )
    fee["refunds"] = {
        "object": "list",
        "data": [],
        "has_more": False,
        "url": f"/v1/application_fees/{fee['id']}/refunds",
    }
    fee["balance_transaction"] = new_transaction(
        platform, type_="application_fee", amount=fee["amount"], source=fee["id"], currency=fee["currency"]
    )["id"]
    charge["application_fee"] = fee["id"]
    platform.emit("application_fee.created", fee)


def refund_charge(scope: Scope, charge: Json, params: Json) -> Json:
    """Refund a charge in whole or in part, with the application fee in proportion when asked.

    Raises StripeError 400 when the charge is disputed, used up or smaller than the amount.
    """
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    _check_refund(scope, charge, amount=amount, left=left, with_fee=bool(params.get("refund_application_fee")))
    method = scope.book.kind("payment_method")[charge["payment_method"]]
    by_card = method["type"] == "card"
    slow = not by_card or method["_behaviour"] == "refund_pending"
    refund = scope.create(
        "refund",
        "re_3" if by_card else "pyr_3",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        metadata=params.get("metadata") or {},
        status="pending" if slow else "succeeded",
    )
    if by_card:
        refund["destination_details"] = {"type": "card", "card": {"type": "refund"}}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    fee_back = _refund_application_fee(scope, charge) if params.get("refund_application_fee") else 0
    refund["balance_transaction"] = _take_refund(scope, refund, fee_back, by_card=by_card)["id"]
    scope.emit("refund.created", refund)
    scope.emit("charge.refunded", charge)
    if slow or method["_behaviour"] == "refund_fails":
        due = scope.store.now() + 3 * DAY
        outcome = "failed" if method["_behaviour"] == "refund_fails" else "succeeded"
        scope.book.jobs.append({"due": due, "kind": "refund", "id": refund["id"], "outcome": outcome})
    return refund


def _take_refund(scope: Scope, refund: Json, fee_back: int, *, by_card: bool) -> Json:
    """Book a refund on the account that pays it; a direct charge gets its application fee back in the same movement."""
    details = []
    if fee_back:
        words = "Application fee refund"
        details.append(_fee_detail(-fee_back, refund["currency"], "application_fee", words, APPLICATION))
    return new_transaction(
        scope,
        type_="refund" if by_card else "payment_refund",
        amount=-refund["amount"],
        source=refund["id"],
        currency=refund["currency"],
        fee=-fee_back,
        fee_details=details,
    )


def is_disputed(scope: Scope, charge: Json) -> bool:
    """Tell whether a dispute keeps the charge from being refunded; an inquiry or a won dispute does not."""
    mine = [row for row in scope.book.kind("dispute").values() if row["charge"] == charge["id"]]
    return any(row["status"] in ("needs_response", "under_review", "lost") for row in mine)


def _check_refund(scope: Scope, charge: Json, *, amount: int, left: int, with_fee: bool) -> None:
    if is_disputed(scope, charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise invalid(message, code="charge_disputed")
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise invalid(message, code="charge_already_refunded")
    if amount <= 0:
        raise invalid("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        raise invalid(
            f"Refund amount (${amount / 100:,.2f}) is greater than unrefunded amount on charge (${left / 100:,.2f})",
            param="amount",
        )
    if with_fee and not charge["application_fee"]:
        raise invalid("Attempting to refund_application_fee on a charge that has no application fee")


def _refund_application_fee(scope: Scope, charge: Json) -> int:
    """Give the platform's fee back in proportion to what is refunded now; return how much."""
    platform = scope.platform()
    fee = platform.find("application_fee", charge["application_fee"])
    # Cumulative rounding: several partial refunds must add up to the fee, not to a cent less.
    due = fee["amount"] * charge["amount_refunded"] // charge["amount_captured"]
    part: int = due - fee["amount_refunded"]
    if part <= 0:
        return 0
    fee_refund = platform.create(
        "application_fee_refund", "fr_1", amount=part, currency=fee["currency"], fee=fee["id"], metadata={}
    )
    fee_refund["object"] = "fee_refund"
    fee_refund["balance_transaction"] = new_transaction(
        platform,
        type_="application_fee_refund",
        amount=-part,
        source=fee_refund["id"],
        currency=fee["currency"],
    )["id"]
    fee["refunds"]["data"].insert(0, fee_refund)
    fee["amount_refunded"] += part
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    platform.emit("application_fee.refunded", fee)
    return part


def fail_refund(scope: Scope, refund: Json) -> None:
    """Take back a refund the customer's bank did not accept."""
    charge = scope.find("charge", refund["charge"])
    refund.update(status="failed", failure_reason="unknown")
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    refund["failure_balance_transaction"] = new_transaction(
        scope,
        type_="refund_failure",
        amount=refund["amount"],
        source=refund["id"],
        currency=refund["currency"],
    )["id"]
    scope.emit("refund.failed", refund)
    scope.emit("refund.updated", refund)
