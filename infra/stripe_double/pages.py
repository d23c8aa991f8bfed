"""The pages a person sees (onboarding, authentication, receipts); each says that it is not Stripe."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from infra.stripe_double.billing_pages import checkout_page, portal_page, read_form
from infra.stripe_double.double import Double
from infra.stripe_double.errors import Json, StripeError
from infra.stripe_double.payments import finish_authentication
from infra.stripe_double.resources.accounts import finish_onboarding
from infra.stripe_double.setups import finish_setup_authentication, verify_bank

ASSETS = Path(__file__).parent / "element"
ASSET_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}


BILLING_PAGES = {"checkout": checkout_page, "portal": portal_page}


@dataclass(frozen=True)
class Page:
    """A finished page, asset or redirect."""

    status: int
    body: str = ""
    content_type: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)


def api_page(double: Double, method: str, target: str, body: bytes) -> Page | None:
    """Serve the pages of the API's own origin."""
    path = urlsplit(target).path
    parts = path.strip("/").split("/")
    if method == "GET" and path == "/":
        return _document("Local stand-in for Stripe", "<p>The API is under <code>/v1</code> and <code>/v2</code>.</p>")
    if method == "GET" and path == "/endive/stripe.js":
        return _asset(double, "stripe.js")
    if method == "GET" and path == "/page.css":
        return _asset(double, "page.css")
    if parts[:2] == ["pages", "onboarding"] and len(parts) == 3:
        return _onboarding(double, method, parts[2])
    if parts[:1] == ["pages"] and len(parts) == 3 and parts[1] in BILLING_PAGES:
        return _billing(double, method, parts[1], parts[2], body)
    if parts[:2] == ["pages", "verify"] and len(parts) == 4:
        return _verification(double, method, parts[2], parts[3])
    if method == "GET" and parts[:2] == ["pages", "receipt"] and len(parts) == 4:
        return _receipt(double, parts[2], parts[3])
    return None


def element_page(double: Double, method: str, target: str, body: bytes) -> Page | None:
    """Serve the element's origin: the card form and the bank's page."""
    url = urlsplit(target)
    parts = url.path.strip("/").split("/")
    if method == "GET" and url.path == "/element":
        return _asset(double, "element.html")
    if method == "GET" and url.path in ("/element.js", "/element.css", "/done.js", "/page.css"):
        return _asset(double, url.path[1:])
    if parts[0] == "authenticate" and len(parts) == 3:
        redirecting = "redirect" in parse_qs(url.query)
        return _authentication(double, method, parts[1], parts[2], body, redirecting=redirecting)
    return None


def _billing(double: Double, method: str, kind: str, session_id: str, body: bytes) -> Page:
    with double.lock:
        shown = BILLING_PAGES[kind](double, session_id, read_form(body) if method == "POST" else None)
    if shown is None:
        return _document("Unknown page", "<p>There is no such page.</p>", status=404)
    if isinstance(shown, str):
        return Page(303, headers={"Location": shown})
    return _document(*shown)


def _asset(double: Double, name: str) -> Page:
    text = (ASSETS / name).read_text(encoding="utf-8")
    text = text.replace("{{API_URL}}", double.base_url).replace("{{ELEMENT_URL}}", double.element_url)
    return Page(200, text, ASSET_TYPES[Path(name).suffix], {"Cache-Control": "no-cache"})


def _onboarding(double: Double, method: str, token: str) -> Page:
    with double.lock:
        link = double.store.links.get(token)
        if link is None:
            return _document("Unknown link", "<p>There is no such onboarding link.</p>", status=404)
        if link["used"] or link["expires_at"] <= double.store.now():
            return Page(303, headers={"Location": link["refresh_url"]})
        account = double.scope(link["account"]).find("account", link["account"])
        if method == "POST":
            finish_onboarding(double, link["account"])
            link["used"] = True
            double.store.dirty = True
            return Page(303, headers={"Location": link["return_url"]})
    name = escape(str((account.get("_v2") or {}).get("display_name") or account["email"] or account["id"]))
    return _document(
        f"Set up payments for {name}",
        "<p>At Stripe you would now enter your business, identity and bank details. Here one button does it "
        "all: card payments become active and you return to the site you came from.</p>"
        f"<dl><dt>Account</dt><dd><code>{escape(account['id'])}</code></dd>"
        f"<dt>Contact</dt><dd>{escape(str(account['email'] or '–'))}</dd></dl>"
        '<form method="post"><button type="submit">Finish onboarding</button></form>',
    )


def _verification(double: Double, method: str, account: str, intent_id: str) -> Page:
    with double.lock:
        book = double.store.books.get(account)
        intent = book.kind("setup_intent").get(intent_id) if book else None
        if intent is None:
            return _document("Unknown bank account", "<p>There is no such bank account.</p>", status=404)
        if method == "POST":
            verify_bank(double.scope(account), intent)
            double.store.dirty = True
    if intent["status"] == "succeeded":
        return _document("Verified", "<p>The bank account is verified. You can close this page.</p>")
    return _document(
        "Verify your bank account",
        "<p>Two small deposits have arrived. At Stripe you would now type their amounts.</p>"
        '<form method="post"><button type="submit">The amounts are right</button></form>',
    )


def _receipt(double: Double, account: str, charge_id: str) -> Page:
    with double.lock:
        book = double.store.books.get(account)
        charge = book.kind("charge").get(charge_id) if book else None
    if charge is None:
        return _document("Unknown receipt", "<p>There is no such receipt.</p>", status=404)
    amount = f"{charge['amount_captured'] / 100:,.2f} {charge['currency'].upper()}"
    method = charge["payment_method_details"]
    last4 = method[method["type"]]["last4"]
    return _document(
        "Receipt",
        f"<dl><dt>Amount</dt><dd>{amount}</dd><dt>Paid with</dt><dd>•••• {escape(last4)}</dd>"
        f"<dt>Charge</dt><dd><code>{escape(charge['id'])}</code></dd></dl>",
    )


def _authentication(
    double: Double, method: str, account: str, intent_id: str, body: bytes, *, redirecting: bool
) -> Page:
    with double.lock:
        book = double.store.books.get(account)
        kind = "setup_intent" if intent_id.startswith("seti_") else "payment_intent"
        intent = book.kind(kind).get(intent_id) if book else None
        if intent is None:
            return _document("Unknown payment", "<p>There is no such payment.</p>", status=404)
        if method == "POST":
            return _answered(double, account, intent, body, redirecting=redirecting)
    asked = "keeping this card on file"
    if kind == "payment_intent":
        asked = f"the payment of <strong>{intent['amount'] / 100:,.2f} {intent['currency'].upper()}</strong>"
    return _document(
        "Confirm it is you",
        f"<p>A bank would now ask you to approve {asked}.</p>"
        '<form method="post" class="choices">'
        '<button type="submit" name="result" value="complete">Complete</button>'
        '<button type="submit" name="result" value="fail" class="quiet">Fail</button></form>',
        notice="Test authentication – not Stripe, not a bank",
    )


def _answered(double: Double, account: str, intent: Json, body: bytes, *, redirecting: bool) -> Page:
    passed = parse_qs(body.decode("utf-8", "replace")).get("result") == ["complete"]
    action = intent["next_action"] or {}
    return_url = (action.get("redirect_to_url") or {}).get("return_url")
    try:
        finish = finish_setup_authentication if intent["object"] == "setup_intent" else finish_authentication
        finish(double.scope(account), intent, passed=passed)
    except StripeError as declined:
        # The decline is already recorded on the intent, where the payer's page looks next.
        double.store.log(double.store.requests, {"path": "/authenticate", "status": declined.status})
    double.store.dirty = True
    if redirecting and return_url:
        query = {
            "payment_intent": intent["id"],
            "payment_intent_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if intent["status"] == "succeeded" else "failed",
        }
        joint = "&" if urlsplit(return_url).query else "?"
        return Page(303, headers={"Location": f"{return_url}{joint}{urlencode(query)}"})
    return _document("Thank you", '<p>You can go on in the shop.</p><script src="/done.js"></script>')


def _document(
    title: str, content: str, *, status: int = 200, notice: str = "Local test page – this is not Stripe"
) -> Page:
    return Page(
        status,
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title} – not Stripe</title><link rel="stylesheet" href="/page.css"></head>'
        f'<body><main><p class="notice">{notice}</p><h1>{title}</h1>{content}</main></body></html>',
    )
