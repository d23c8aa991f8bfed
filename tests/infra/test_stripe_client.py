"""The client that reaches Stripe refuses every setup in which money or secrets would go astray."""

from __future__ import annotations

from dataclasses import replace

import pytest
import stripe

from infra import stripe_client
from infra.env import Env, load_env
from infra.stripe_client import WrongStripeSetup, find_setup_problem, tenant_stripe

LOCAL = "http://127.0.0.1:8001"


@pytest.fixture
def env() -> Env:
    """Return the tests' environment."""
    return load_env()


@pytest.mark.parametrize(
    ("base", "key", "is_fine"),
    [
        ("", "sk_test_x", True),
        ("", "sk_live_x", True),
        (LOCAL, "sk_test_x", True),
        ("http://localhost:8001", "rk_test_x", True),
        (LOCAL, "sk_live_x", False),
        (LOCAL, "rk_live_x", False),
        ("https://stripe.example.com", "sk_test_x", False),
        ("http://127.0.0.1.example.com", "sk_test_x", False),
        ("http://10.0.0.5:8001", "sk_test_x", False),
    ],
)
def test_a_stand_in_is_local_and_never_sees_a_live_key(env: Env, base: str, key: str, is_fine: bool) -> None:
    """PAY-21."""
    changed = replace(env, stripe_api_base=base, stripe_secret_key=key, stripe_publishable_key="")
    assert (find_setup_problem(changed) == "") is is_fine


def test_the_wrong_setup_builds_no_client(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check at start can be skipped; the client cannot."""
    wrong = replace(env, stripe_api_base="https://stripe.example.com")
    monkeypatch.setattr(stripe_client, "load_env", lambda: wrong)
    with pytest.raises(WrongStripeSetup):
        tenant_stripe("acct_x")


def test_the_tenants_client_cannot_be_had_without_an_account() -> None:
    """payments.md 5: a forgotten account would charge on the platform."""
    with pytest.raises(ValueError, match="connected account"):
        tenant_stripe("")


def test_nothing_is_told_to_stripe_on_the_side() -> None:
    assert stripe.enable_telemetry is False
