"""Paying through the SDK: onboarding, success, declines, limits, refunds, isolation."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from .bench import Bench, pay, token_for

PARTS: Any = ["configuration.merchant", "requirements"]
DECLINED = [
    ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
]


def test_an_account_takes_cards_only_after_onboarding(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client, onboard=False)
    before: Any = client.v2.core.accounts.retrieve(account, {"include": PARTS})
    assert before.configuration.merchant.capabilities.card_payments.status == "restricted"
    assert before.requirements.entries
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, account)
    link = bench.onboarding_link(client, account)
    status, _, text = bench.fetch(link.url)
    assert status == 200
    assert "not Stripe" in text
    assert "Finish onboarding" in text
    assert bench.fetch(link.url, method="POST")[:2] == (303, "http://office.example/back")
    after: Any = client.v2.core.accounts.retrieve(account, {"include": ["configuration.merchant"]})
    assert after.configuration.merchant.capabilities.card_payments.status == "active"
    assert after.requirements is None, "a part that was not asked for is null"
    assert client.v1.accounts.retrieve(account).charges_enabled
    (event,) = bench.inbox.wait_for("account.updated")
    assert event["account"] == account
    assert pay(client, account).status == "succeeded"


def test_an_onboarding_link_works_once(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client, onboard=False)
    link = bench.onboarding_link(client, account)
    bench.fetch(link.url, method="POST")
    assert bench.fetch(link.url)[:2] == (303, "http://office.example/again")


def test_a_card_payment_leaves_charge_fee_and_balance_transaction(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    on: Any = {"stripe_account": account}
    intent = pay(client, account)
    assert (intent.status, intent.amount_received) == ("succeeded", 12_500)
    assert intent.last_payment_error is None
    expand = ["latest_charge.balance_transaction"]
    full = client.v1.payment_intents.retrieve(intent.id, {"expand": expand}, on)
    charge: Any = full.latest_charge
    assert charge.payment_method_details.card.last4 == "4242"
    assert charge.balance_transaction.net == 12_500 - (12_500 * 29 // 1000 + 30) - 250
    (fee,) = client.v1.application_fees.list({"charge": charge.id}).data
    assert (fee.amount, fee.account) == (250, account)
    found = client.v1.payment_intents.search({"query": "metadata['tenant']:'acme'"}, on)
    assert [row.id for row in found.data] == [intent.id]
    assert "not Stripe" in bench.fetch(charge.receipt_url)[2]
    assert bench.control("state")["violations"] == []


@pytest.mark.parametrize(("method", "code", "decline_code"), DECLINED)
def test_a_decline_names_its_reason_and_leaves_the_intent_payable(
    bench: Bench, client: stripe.StripeClient, method: str, code: str, decline_code: str
) -> None:
    account = bench.account(client)
    with pytest.raises(stripe.CardError) as caught:
        pay(client, account, method=method)
    error: Any = caught.value.error
    assert (error.code, error.decline_code) == (code, decline_code)
    assert error.payment_intent.status == "requires_payment_method"
    bench.inbox.wait_for("payment_intent.payment_failed")
    again = client.v1.payment_intents.confirm(
        error.payment_intent.id, {"payment_method": "pm_card_visa"}, {"stripe_account": account}
    )
    assert again.status == "succeeded"


def test_amounts_outside_stripes_limits_are_refused(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    for amount, code in ((49, "amount_too_small"), (100_000_000, "amount_too_large")):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            pay(client, account, amount=amount, application_fee_amount=0)
        assert caught.value.code == code
    with pytest.raises(stripe.InvalidRequestError, match="application_fee_amount"):
        pay(client, account, amount=100, application_fee_amount=101)
    assert client.v1.payment_intents.list({}, {"stripe_account": account}).data == []


def test_a_used_token_is_refused_and_leaves_nothing(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    token = token_for(client, account)
    pay(client, account, confirmation_token=token)
    with pytest.raises(stripe.InvalidRequestError, match="already been used"):
        pay(client, account, confirmation_token=token)
    assert len(client.v1.payment_intents.list({}, {"stripe_account": account}).data) == 1


def test_endive_refuses_payment_method_types(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        pay(client, account, payment_method_types=["card"])
    assert caught.value.code == "payment_method_types_no_longer_supported"
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: colour"):
        pay(client, account, colour="red")


def test_excluded_types_cannot_pay(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    intent = pay(client, account, excluded_payment_method_types=["us_bank_account"])
    assert intent.payment_method_types == ["card"]
    with pytest.raises(stripe.InvalidRequestError):
        pay(
            client,
            account,
            method="pm_usBankAccount_success",
            excluded_payment_method_types=["us_bank_account"],
        )


def test_refunds_share_the_fee_and_stop_at_the_amount(bench: Bench, client: stripe.StripeClient) -> None:
    """F19: more than what is left is refused."""
    account = bench.account(client)
    on: Any = {"stripe_account": account}
    intent = pay(client, account)
    part = client.v1.refunds.create({"payment_intent": intent.id, "amount": 5_000, "refund_application_fee": True}, on)
    assert (part.status, client.v1.refunds.retrieve(part.id, {}, on).amount) == ("succeeded", 5_000)
    (fee,) = client.v1.application_fees.list().data
    assert fee.amount_refunded == 100
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 7_501}, on)
    client.v1.refunds.create({"payment_intent": intent.id, "refund_application_fee": True}, on)
    assert client.v1.application_fees.retrieve(fee.id).amount_refunded == 250
    assert len(bench.inbox.wait_for("refund.created", 2)) == 2


def test_authentication_can_pass_or_fail(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    on: Any = {"stripe_account": account}
    for answer, expected in ((b"result=complete", "succeeded"), (b"result=fail", "requires_payment_method")):
        intent = pay(client, account, method="pm_card_authenticationRequired")
        assert intent.status == "requires_action"
        action: Any = intent.next_action
        assert "not a bank" in bench.fetch(action.use_stripe_sdk.stripe_js)[2]
        bench.fetch(action.use_stripe_sdk.stripe_js, method="POST", data=answer)
        assert client.v1.payment_intents.retrieve(intent.id, {}, on).status == expected


def test_authentication_without_the_browser_script_returns_by_redirect(
    bench: Bench, client: stripe.StripeClient
) -> None:
    account = bench.account(client)
    intent = pay(client, account, method="pm_card_authenticationRequired", use_stripe_sdk=False)
    action: Any = intent.next_action
    status, location, _ = bench.fetch(action.redirect_to_url.url, method="POST", data=b"result=complete")
    assert status == 303
    assert location.startswith("http://acme.portal.localhost/pay/done/?payment_intent=pi_")
    assert "redirect_status=succeeded" in location


def test_off_session_nobody_can_authenticate(bench: Bench, client: stripe.StripeClient) -> None:
    """F15: the decline says what is needed."""
    account = bench.account(client)
    with pytest.raises(stripe.CardError) as caught:
        pay(client, account, method="pm_card_authenticationRequired", off_session=True)
    assert caught.value.code == "authentication_required"


def test_an_open_intent_can_be_canceled_and_a_paid_one_not(bench: Bench, client: stripe.StripeClient) -> None:
    """F14: an abandoned authentication is cleaned up by cancelling."""
    account = bench.account(client)
    on: Any = {"stripe_account": account}
    waiting = pay(client, account, method="pm_card_authenticationRequired")
    assert client.v1.payment_intents.cancel(waiting.id, {}, on).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.cancel(pay(client, account).id, {}, on)
    assert caught.value.code == "payment_intent_unexpected_state"


def test_bank_debits_settle_when_the_clock_moves(bench: Bench, client: stripe.StripeClient) -> None:
    """F16, F17: success, return before settlement, return after it."""
    account = bench.account(client)
    on: Any = {"stripe_account": account}
    names = ("pm_usBankAccount_success", "pm_usBankAccount_accountClosed", "pm_usBankAccount_dispute")
    good, closed, late = (pay(client, account, method=name).id for name in names)
    assert client.v1.payment_intents.retrieve(good, {}, on).status == "processing"
    bench.control("advance", days=4)
    statuses = [client.v1.payment_intents.retrieve(row, {}, on).status for row in (good, closed, late)]
    assert statuses == ["succeeded", "requires_payment_method", "succeeded"]
    bench.control("advance", days=1)
    (dispute,) = client.v1.disputes.list({}, on).data
    assert (dispute.status, dispute.payment_intent) == ("lost", late)


@pytest.mark.parametrize("status", ["needs_response", "warning_needs_response"])
def test_a_debit_that_was_taken_back_is_not_returned_again(
    bench: Bench, client: stripe.StripeClient, status: str
) -> None:
    """No bank takes more back than was paid."""
    account = bench.account(client)
    on: Any = {"stripe_account": account}
    late = pay(client, account, method="pm_usBankAccount_dispute").id
    bench.control("advance", days=4)
    bench.control("dispute", account=account, payment_intent=late, status=status)
    bench.control("advance", days=1)
    (dispute,) = client.v1.disputes.list({}, on).data
    assert dispute.status == status


def test_accounts_cannot_see_each_other(bench: Bench, client: stripe.StripeClient) -> None:
    """ISO: an object of one account does not exist for another, nor for the platform."""
    mine, other = bench.account(client), bench.account(client)
    intent = pay(client, mine)
    customer = client.v1.customers.create({"email": "pat@example.com"}, {"stripe_account": mine})
    for options in ({"stripe_account": other}, {}):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.payment_intents.retrieve(intent.id, {}, options)  # type: ignore[arg-type]
        assert caught.value.http_status == 404
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, other, customer=customer.id)
    with pytest.raises(stripe.PermissionError):
        client.v1.payment_intents.retrieve(intent.id, {}, {"stripe_account": "acct_1Unknown"})


def test_card_numbers_and_live_keys_are_refused(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    raw: Any = {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}}
    with pytest.raises(stripe.StripeError, match="unsafe"):
        client.v1.payment_methods.create(raw, {"stripe_account": account})
    with pytest.raises(stripe.StripeError, match="unsafe"):
        client.v1.customers.create({"metadata": {"note": "4242 4242 4242 4242"}}, {"stripe_account": account})
    assert len(bench.control("state")["violations"]) == 2
    for key in ("sk_live_1", "rk_live_1"):
        with pytest.raises(stripe.AuthenticationError, match="live keys"):
            bench.client(key).v1.customers.list()


def test_a_publishable_key_opens_only_the_browsers_calls(bench: Bench, client: stripe.StripeClient) -> None:
    account = bench.account(client)
    intent = pay(client, account, method="pm_card_authenticationRequired")
    query = f"key=pk_test_x&_stripe_account={account}"
    url = f"{bench.base}/v1/payment_intents/{intent.id}?{query}&client_secret="
    assert bench.fetch(url + str(intent.client_secret))[0] == 200
    assert bench.fetch(url + "guess")[0] == 404
    assert bench.fetch(f"{bench.base}/v1/payment_intents?{query}")[0] == 401


def test_unwritten_operations_are_told_from_unknown_ones(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.APIError, match="NOT IMPLEMENTED BY THE DOUBLE"):
        client.v1.topups.list()
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        client.raw_request("get", "/v1/nonsense")
