"""The one way to Stripe: clients with retries, time limits and the right account, never inside a transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import stripe

from infra.breaker import Breaker
from infra.env import Env, load_env

ADDRESS_KINDS = ("api", "connect", "files", "meter_events")
CONNECT_SECONDS, READ_SECONDS = 3, 20
RETRIES = 2
LOOPBACK = ("localhost", "127.0.0.1", "::1")

# The SDK logs addresses at INFO and whole requests, tokens included, at DEBUG.
logging.getLogger("stripe").setLevel(logging.WARNING)
# Telemetry writes a file into the home folder and tells Stripe about earlier requests.
stripe.enable_telemetry = False


class NetworkInTransaction(RuntimeError):
    """Stripe was about to be called while a database transaction was open (PAY-12)."""

    def __init__(self) -> None:
        super().__init__("Reserve, call, apply: no network call while a transaction or row lock is open.")


class WrongStripeSetup(RuntimeError):
    """The environment would send money, or what we know of it, to the wrong place."""


def _nothing() -> None:
    return None


_before_call: Callable[[], None] = _nothing


def before_each_call(hook: Callable[[], None]) -> None:
    """Name what is to happen before a request leaves; the database layer raises NetworkInTransaction there."""
    global _before_call
    _before_call = hook


class StripeAway(stripe.APIConnectionError):
    """Stripe has not answered for a while and was not asked this time: nothing of this call was sent (F23)."""


BREAKER = Breaker("stripe")


class GuardedClient(stripe.RequestsClient):
    """The SDK's HTTP client; it never leaves the process within a transaction, nor while Stripe is away."""

    def request_with_retries(self, *args: Any, **kwargs: Any) -> Any:
        """Make one call with its retries; raises StripeAway, before anything is sent or not at all.

        Whoever has begun goes on to the end: only a call that was refused as a whole is known not to have happened.
        """
        if not BREAKER.may_call():
            raise StripeAway("Stripe is not asked while it does not answer.")  # type: ignore[no-untyped-call]
        try:
            answer = super().request_with_retries(*args, **kwargs)
        except stripe.APIConnectionError:
            BREAKER.note_failure()
            raise
        _, status, headers = answer
        # An error that is replayed under its key is an old one; that it is replayed shows that Stripe is there (F4).
        if status >= 500 and "Idempotent-Replayed" not in headers:
            BREAKER.note_failure()
        else:
            BREAKER.note_success()
        return answer

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Send one request; raises NetworkInTransaction."""
        _before_call()
        return super().request(*args, **kwargs)


def is_stripe_away() -> bool:
    """Whether a call would not even be tried now: pages say so, and jobs wait (F23)."""
    return BREAKER.is_open


@lru_cache(maxsize=1)
def _http_client() -> GuardedClient:
    return GuardedClient(timeout=(CONNECT_SECONDS, READ_SECONDS))


def platform_stripe() -> stripe.StripeClient:
    """Return a client that acts for the platform itself: accounts, account links."""
    return _build(load_env(), account=None)


def tenant_stripe(account_id: str) -> stripe.StripeClient:
    """Return a client whose every call names the connected account; raises ValueError without one.

    Forgetting the account would silently create customers and payments of the platform.
    """
    if not account_id.startswith("acct_"):
        raise ValueError("A connected account is needed here.")
    return _build(load_env(), account=account_id)


def _build(env: Env, *, account: str | None) -> stripe.StripeClient:
    if not env.stripe_secret_key:
        raise WrongStripeSetup("STRIPE_SECRET_KEY is not set.")
    if problem := find_setup_problem(env):
        raise WrongStripeSetup(problem)
    more: dict[str, Any] = {}
    if env.stripe_api_base:
        more["base_addresses"] = dict.fromkeys(ADDRESS_KINDS, env.stripe_api_base)
    return stripe.StripeClient(
        env.stripe_secret_key,
        stripe_account=account,
        max_network_retries=RETRIES,
        http_client=_http_client(),
        **more,
    )


def find_setup_problem(env: Env) -> str:
    """Return why STRIPE_API_BASE must not be used as it is, or nothing."""
    if not env.stripe_api_base:
        return ""
    if is_live(env):
        return "STRIPE_API_BASE is set together with a live key; a stand-in must never see one."
    if urlsplit(env.stripe_api_base).hostname not in LOOPBACK:
        return "STRIPE_API_BASE points away from this machine; only a stand-in on the loopback may be used."
    return ""


def is_live(env: Env) -> bool:
    """Whether real money moves; events and accounts must agree with it."""
    return "_live_" in env.stripe_secret_key or "_live_" in env.stripe_publishable_key
