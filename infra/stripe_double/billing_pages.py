"""The hosted pages on which a contractor subscribes and looks after card and plan."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

from infra.stripe_double.double import Double, Scope
from infra.stripe_double.errors import Json, StripeError
from infra.stripe_double.instruments import DECLINES, digits_of, passes_luhn
from infra.stripe_double.methods import attach_method, new_card
from infra.stripe_double.store import PLATFORM
from infra.stripe_double.subscriptions import (
    LIVING,
    end_subscription,
    open_invoices,
    start_subscription,
    try_to_collect,
)

# A page's title and content, or where the browser goes next.
Shown = tuple[str, str]
Target = str


def checkout_page(double: Double, session_id: str, form: dict[str, list[str]] | None) -> Shown | Target | None:
    """Show a Checkout Session, or subscribe with the card that was typed; None for an unknown session."""
    scope = double.scope(PLATFORM)
    session = scope.book.kind("checkout.session").get(session_id)
    if session is None:
        return None
    if session["status"] == "complete":
        return _success(session)
    if session["status"] != "open":
        return ("This page has expired", "<p>Go back to the site and start again.</p>")
    problem = ""
    if form is not None:
        problem = _subscribe(scope, session, form.get("card", [""])[0])
        double.store.dirty = True
        if not problem:
            return _success(session)
    price = scope.find("price", session["_price"])
    product = scope.find("product", price["product"])
    days = session["_trial_days"]
    button = "Start trial" if days else "Subscribe"
    trial = f"<dt>Trial</dt><dd>{days} days</dd>" if days else ""
    return (
        f"Subscribe to {escape(product['name'])}",
        f"<dl><dt>Price</dt><dd>{_money(price['unit_amount'], price['currency'])} a month</dd>{trial}</dl>"
        f"{_card_form(button, problem)}{_link(session['cancel_url'], 'Back')}",
    )


def _subscribe(scope: Scope, session: Json, number: str) -> str:
    """Complete the session, or return why the card was not taken."""
    try:
        method = _take_card(scope, session["customer"], number)
    except StripeError as refused:
        return str(refused)
    subscription = start_subscription(
        scope,
        customer=scope.find("customer", session["customer"]),
        price=scope.find("price", session["_price"]),
        method=method,
        trial_days=session["_trial_days"],
        metadata=session["_subscription_metadata"],
    )
    if subscription["status"] == "incomplete":
        scope.book.kind("subscription").pop(subscription["id"])
        return "Your card was declined."
    session.update(
        status="complete",
        subscription=subscription["id"],
        invoice=subscription["latest_invoice"],
        payment_status="no_payment_required" if session["_trial_days"] else "paid",
        url=None,
    )
    scope.emit("checkout.session.completed", session)
    return ""


def _take_card(scope: Scope, customer: str, number: str) -> Json:
    """Attach a card to the customer; raises StripeError when the bank refuses it even without a charge."""
    digits = digits_of(number)
    if not digits.isdigit() or not passes_luhn(digits):
        raise StripeError(402, "card_error", "Your card number is incorrect.", code="incorrect_number")
    method = new_card(scope, digits)
    behaviour, _, detail = str(method["_behaviour"]).partition(":")
    if behaviour == "decline":
        code, message = DECLINES[detail]
        raise StripeError(402, "card_error", message, code=code)
    attach_method(scope, method, customer)
    return method


def _success(session: Json) -> Target:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def portal_page(double: Double, session_id: str, form: dict[str, list[str]] | None) -> Shown | Target | None:
    """Show the billing portal of a customer, or do what was pressed; None for an unknown session."""
    scope = double.scope(PLATFORM)
    session = scope.book.kind("billing_portal.session").get(session_id)
    if session is None:
        return None
    rows = scope.book.kind("subscription").values()
    mine = [row for row in rows if row["customer"] == session["customer"] and row["status"] in LIVING]
    subscription = mine[-1] if mine else None
    problem = ""
    if form is not None and subscription:
        problem = _change(scope, subscription, form)
        double.store.dirty = True
    back = _link(session["return_url"], "Return to the site")
    if subscription is None or subscription["status"] not in LIVING:
        return ("Your plan", f"<p>There is no plan at the moment.</p>{back}")
    price = subscription["items"]["data"][0]["price"]
    method = scope.find("payment_method", subscription["default_payment_method"])
    debts = open_invoices(scope, subscription)
    pay = '<button type="submit" name="do" value="pay">Pay now</button>' if debts else ""
    ends = "Keep the plan" if subscription["cancel_at_period_end"] else "Cancel plan"
    return (
        "Your plan",
        f"<dl><dt>State</dt><dd>{escape(subscription['status'])}</dd>"
        f"<dt>Price</dt><dd>{_money(price['unit_amount'], price['currency'])} a month</dd>"
        f"<dt>Card</dt><dd>•••• {escape(method['card']['last4'])}</dd>"
        f"<dt>To pay</dt><dd>{_money(sum(row['amount_due'] for row in debts), price['currency'])}</dd></dl>"
        f"{_card_form('Replace card', problem)}"
        f'<form method="post" class="choices">{pay}'
        f'<button type="submit" name="do" value="end" class="quiet">{ends}</button>'
        f'<button type="submit" name="do" value="end_now" class="quiet">Cancel at once</button></form>{back}',
    )


def _change(scope: Scope, subscription: Json, form: dict[str, list[str]]) -> str:
    """Carry out one press of a button; return why not, if so."""
    wanted = form.get("do", [""])[0]
    if wanted == "pay":
        paid = [try_to_collect(scope, subscription, invoice) for invoice in open_invoices(scope, subscription)]
        return "" if all(paid) else "Your card was declined."
    if wanted == "end":
        ends = not subscription["cancel_at_period_end"]
        period_end = subscription["items"]["data"][0]["current_period_end"]
        subscription.update(cancel_at_period_end=ends, cancel_at=period_end if ends else None)
        scope.emit("customer.subscription.updated", subscription)
        return ""
    if wanted == "end_now":
        end_subscription(scope, subscription)
        return ""
    try:
        method = _take_card(scope, subscription["customer"], form.get("card", [""])[0])
    except StripeError as refused:
        return str(refused)
    subscription["default_payment_method"] = method["id"]
    scope.emit("customer.subscription.updated", subscription)
    return ""


def read_form(body: bytes) -> dict[str, list[str]]:
    """Read a posted form."""
    return parse_qs(body.decode("utf-8", "replace"))


def _card_form(button: str, problem: str) -> str:
    notice = f'<p class="notice" role="alert">{escape(problem)}</p>' if problem else ""
    return (
        f'{notice}<form method="post" class="choices"><label for="card">Card number</label>'
        '<input id="card" name="card" inputmode="numeric" autocomplete="off">'
        f'<button type="submit">{button}</button></form>'
    )


def _link(url: object, text: str) -> str:
    return f'<p><a href="{escape(str(url))}">{text}</a></p>' if url else ""


def _money(cents: int, currency: str) -> str:
    return f"{cents / 100:,.2f} {currency.upper()}"
