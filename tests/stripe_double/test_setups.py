"""Setup intents: a method is kept, authenticated, verified or declined, and charged later (payments.md 3a)."""

from __future__ import annotations

import pytest
import stripe

from .bench import Bench


def keep(client: stripe.StripeClient, account: str, method: str, customer: str) -> stripe.SetupIntent:
    """Set a method up by a token, as a server does."""
    on: stripe.RequestOptions = {"stripe_account": account}
    token = client.v1.test_helpers.confirmation_tokens.create({"payment_method": method}, on)
    return client.v1.setup_intents.create(
        {"confirm": True, "confirmation_token": token.id, "customer": customer, "usage": "off_session"}, on
    )


def charge(client: stripe.StripeClient, account: str, method: str, customer: str) -> stripe.PaymentIntent:
    """Charge a method while its owner is away."""
    return client.v1.payment_intents.create(
        {
            "amount": 5000,
            "currency": "usd",
            "confirm": True,
            "customer": customer,
            "off_session": "recurring",
            "payment_method": method,
        },
        {"stripe_account": account},
    )


@pytest.fixture
def account(bench: Bench, client: stripe.StripeClient) -> str:
    """An onboarded account."""
    return bench.account(client)


@pytest.fixture
def customer(client: stripe.StripeClient, account: str) -> str:
    """A customer of the account."""
    return str(client.v1.customers.create({"name": "Alice"}, {"stripe_account": account}).id)


@pytest.mark.parametrize(
    ("method", "status"), [("pm_card_visa", "succeeded"), ("pm_usBankAccount_success", "processing")]
)
def test_a_method_is_kept_and_charged_later(
    client: stripe.StripeClient, account: str, customer: str, method: str, status: str
) -> None:
    setup = keep(client, account, method, customer)
    assert setup.status == "succeeded"
    assert charge(client, account, str(setup.payment_method), customer).status == status


def test_a_declined_card_is_not_kept(client: stripe.StripeClient, account: str, customer: str) -> None:
    with pytest.raises(stripe.CardError) as declined:
        keep(client, account, "pm_card_chargeDeclined", customer)
    assert declined.value.code == "card_declined"
    kept = client.v1.payment_methods.list({"customer": customer}, {"stripe_account": account})
    assert kept.data == []


def test_a_bank_account_waits_for_its_deposits(client: stripe.StripeClient, account: str, customer: str) -> None:
    setup = keep(client, account, "pm_usBankAccount_microdeposits", customer)
    assert setup.status == "requires_action"
    assert setup.next_action
    assert setup.next_action.type == "verify_with_microdeposits"
    canceled = client.v1.setup_intents.cancel(setup.id, {}, {"stripe_account": account})
    assert canceled.status == "canceled"


def test_another_account_does_not_know_the_setup(
    bench: Bench, client: stripe.StripeClient, customer: str, account: str
) -> None:
    setup = keep(client, account, "pm_card_visa", customer)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.setup_intents.retrieve(setup.id, {}, {"stripe_account": bench.account(client)})
