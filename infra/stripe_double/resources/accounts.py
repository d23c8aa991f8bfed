"""Connected accounts: v2 create/retrieve, onboarding links, and the v1 view of the same accounts."""

from __future__ import annotations

import time

from stripe.params import AccountListParams, AccountRetrieveParams
from stripe.params.v2.core import AccountCreateParams as V2AccountCreateParams
from stripe.params.v2.core import AccountLinkCreateParams as V2AccountLinkCreateParams
from stripe.params.v2.core import AccountRetrieveParams as V2AccountRetrieveParams
from stripe.params.v2.core import AccountUpdateParams as V2AccountUpdateParams

from infra.stripe_double.double import Call, Double
from infra.stripe_double.errors import Json, invalid, no_access
from infra.stripe_double.listing import page
from infra.stripe_double.routing import route
from infra.stripe_double.store import PLATFORM, Book
from infra.stripe_double.templates import blank

LINK_SECONDS = 300
# v1 calls some capabilities by another name than v2; the rows are v1's.
V1_NAMES = {"ach_debit_payments": "us_bank_account_ach_payments"}
V2_NAMES = {v1: v2 for v2, v1 in V1_NAMES.items()}
V2_STATUS = {"inactive": "restricted", "pending": "pending", "active": "active"}


@route("POST", "/v2/core/accounts", V2AccountCreateParams)
def create_account(call: Call) -> Json:
    """Create a connected account; its capabilities stay restricted until onboarding is finished."""
    params = call.params
    merchant = (params.get("configuration") or {}).get("merchant") or {}
    responsibilities = (params.get("defaults") or {}).get("responsibilities") or {}
    if params.get("dashboard") == "express" and responsibilities.get("losses_collector") == "stripe":
        raise invalid("An express dashboard requires losses_collector=application.", code="invalid_configuration")
    account_id = call.store.new_id("acct_1", 16)
    call.store.books[account_id] = Book()
    call.store.books[account_id].kind("account")[account_id] = {
        **blank("account"),
        "id": account_id,
        "type": "none",
        "business_profile": {"name": params.get("display_name")},
        "capabilities": {V1_NAMES.get(name, name): "inactive" for name in merchant.get("capabilities") or {}},
        "charges_enabled": False,
        "country": str((params.get("identity") or {}).get("country", "us")).upper(),
        "created": call.store.now(),
        "default_currency": "usd",
        "details_submitted": False,
        "email": params.get("contact_email"),
        "metadata": params.get("metadata") or {},
        "payouts_enabled": False,
        "requirements": _requirements(["external_account", "representative.first_name"], "requirements.past_due"),
        "_v2": {
            "configuration": params.get("configuration") or {},
            "dashboard": params.get("dashboard"),
            "display_name": params.get("display_name"),
            "identity": params.get("identity"),
            "responsibilities": responsibilities,
        },
    }
    return v2_account(call.double, account_id, params.get("include") or [])


@route("GET", "/v2/core/accounts/{id}", V2AccountRetrieveParams)
def retrieve_account(call: Call) -> Json:
    """Return a connected account with the parts named by `include`."""
    if call.path["id"] not in call.store.books:
        raise invalid(f"No such account: '{call.path['id']}'", code="not_found", status=404)
    return v2_account(call.double, call.path["id"], call.params.get("include") or [])


@route("POST", "/v2/core/accounts/{id}", V2AccountUpdateParams)
def update_account(call: Call) -> Json:
    """Add capabilities to a connected account; one that has finished onboarding gets them at once."""
    account_id = call.path["id"]
    if account_id not in call.store.books:
        raise invalid(f"No such account: '{account_id}'", code="not_found", status=404)
    scope = call.double.scope(account_id)
    account = scope.find("account", account_id)
    merchant = (call.params.get("configuration") or {}).get("merchant") or {}
    status = "active" if account["details_submitted"] else "inactive"
    for name in merchant.get("capabilities") or {}:
        account["capabilities"].setdefault(V1_NAMES.get(name, name), status)
    scope.emit("account.updated", account)
    return v2_account(call.double, account_id, call.params.get("include") or [])


@route("POST", "/v2/core/account_links", V2AccountLinkCreateParams)
def create_account_link(call: Call) -> Json:
    """Create a single-use address of the onboarding page."""
    account_id, use_case = call.params["account"], call.params["use_case"]
    if account_id not in call.store.books:
        raise invalid(f"No such account: '{account_id}'", code="not_found", param="account", status=404)
    details = use_case.get("account_onboarding") or use_case.get("account_update")
    if not details:
        raise invalid("use_case needs account_onboarding or account_update.", param="use_case")
    token = call.store.new_id("", 24)
    now = call.store.now()
    call.store.links[token] = {
        "account": account_id,
        "expires_at": now + LINK_SECONDS,
        "refresh_url": details["refresh_url"],
        "return_url": details.get("return_url") or details["refresh_url"],
        "used": False,
    }
    return {
        **blank("v2.core.account_link"),
        "account": account_id,
        "created": timestamp(now),
        "expires_at": timestamp(now + LINK_SECONDS),
        "livemode": False,
        "url": f"{call.double.base_url}/pages/onboarding/{token}",
        "use_case": use_case,
    }


@route("GET", "/v1/account", AccountRetrieveParams)
def retrieve_own_account(call: Call) -> Json:
    """Return the account the request acts for."""
    return call.find("account", call.account)


@route("GET", "/v1/accounts/{account}", AccountRetrieveParams)
def retrieve_v1_account(call: Call) -> Json:
    """Return the v1 view of a connected account."""
    account_id = call.path["account"]
    if account_id not in call.store.books:
        raise no_access(account_id, "sk_test_")
    return call.store.books[account_id].kind("account")[account_id]


@route("GET", "/v1/accounts", AccountListParams)
def list_accounts(call: Call) -> Json:
    """List the connected accounts."""
    rows = [book.kind("account")[account_id] for account_id, book in call.store.books.items() if account_id != PLATFORM]
    return page(rows, call.params, url="/v1/accounts")


def finish_onboarding(double: Double, account_id: str) -> None:
    """Make the requested capabilities active and announce it to the Connect endpoints."""
    scope = double.scope(account_id)
    account = scope.find("account", account_id)
    account.update(charges_enabled=True, payouts_enabled=True, details_submitted=True)
    account["capabilities"] = dict.fromkeys(account["capabilities"], "active")
    account["requirements"] = _requirements([], None)
    scope.emit("account.updated", account)


def charges_possible(double: Double, account_id: str) -> bool:
    """Tell whether an account may take cards; the platform always may."""
    account = double.store.books[account_id].kind("account")[account_id]
    capabilities = account.get("capabilities") or {}
    return account_id == PLATFORM or capabilities.get("card_payments") == "active"


def v2_account(double: Double, account_id: str, include: list[str]) -> Json:
    """Render an account as v2 does: parts not named by `include` are null."""
    account = double.store.books[account_id].kind("account")[account_id]
    given = account.get("_v2") or {}
    capabilities = {
        V2_NAMES.get(name, name): {"status": V2_STATUS[status], "status_details": _status_details(status)}
        for name, status in (account.get("capabilities") or {}).items()
    }
    document = {
        **blank("v2.core.account"),
        "id": account_id,
        "applied_configurations": sorted(given.get("configuration") or {"merchant": {}}),
        "closed": False,
        "contact_email": account["email"],
        "created": timestamp(account["created"] or 0),
        "dashboard": given.get("dashboard"),
        "display_name": given.get("display_name"),
        "livemode": False,
        "metadata": account["metadata"],
    }
    if "configuration.merchant" in include:
        document["configuration"] = {
            "customer": None,
            "merchant": {"applied": True, "capabilities": capabilities},
            "recipient": None,
        }
    if "identity" in include:
        document["identity"] = given.get("identity")
    if "defaults" in include:
        responsibilities = {"requirements_collector": "stripe", **given.get("responsibilities", {})}
        document["defaults"] = {"currency": "usd", "locales": None, "responsibilities": responsibilities}
    if "requirements" in include:
        document["requirements"] = _v2_requirements(account["requirements"]["currently_due"])
    return document


def timestamp(seconds: int) -> str:
    """Write a time as v2 does."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def _status_details(status: str) -> list[Json]:
    return [] if status == "active" else [{"code": "requirements_past_due", "resolution": "provide_info"}]


def _requirements(due: list[str], disabled_reason: str | None) -> Json:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": list(due),
        "disabled_reason": disabled_reason,
        "errors": [],
        "eventually_due": list(due),
        "past_due": list(due),
        "pending_verification": [],
    }


def _v2_requirements(due: list[str]) -> Json:
    entries: list[Json] = [
        {
            "awaiting_action_from": "user",
            "description": name,
            "errors": [],
            "impact": {"restricts_capabilities": []},
            "minimum_deadline": {"status": "past_due"},
            "reference": None,
            "requested_reasons": [{"code": "routine_onboarding"}],
        }
        for name in due
    ]
    summary = {"minimum_deadline": {"status": "past_due"}} if due else None
    return {"alternatives": [], "entries": entries, "summary": summary}
