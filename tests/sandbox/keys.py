"""Finds the keys of a Stripe sandbox in the environment, and refuses those that move real money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KEY, ACCOUNT = "STRIPE_SANDBOX_KEY", "STRIPE_SANDBOX_ACCOUNT"
TEST_KEYS = ("sk_test_", "rk_test_")


class NotASandbox(ValueError):
    """The key may move real money, or the account is missing; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The platform's test key, and a connected test account that may take cards and bank debits."""

    key: str
    account: str


def find_sandbox(environment: Mapping[str, str]) -> Sandbox | None:
    """Return the sandbox of an environment, None without a key; raises NotASandbox for anything but a test key."""
    key, account = environment.get(KEY, ""), environment.get(ACCOUNT, "")
    if not key:
        return None
    if not key.startswith(TEST_KEYS):
        raise NotASandbox(f"{KEY} is no test key: it begins with neither {' nor '.join(TEST_KEYS)}.")
    if not account.startswith("acct_"):
        raise NotASandbox(f"{ACCOUNT} names the connected test account, acct_…, to pay to.")
    return Sandbox(key, account)
