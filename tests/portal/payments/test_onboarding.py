"""Connecting a company with Stripe from the office."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from django.utils import timezone

from infra.stripe_client import platform_stripe
from portal.accounts.client import Client as Browser
from portal.accounts.models import StaffUser
from portal.accounts.staff_sessions import cookie_name, start_session
from portal.payments.services import onboarding
from tenants.audit import SYSTEM
from tenants.models import PaymentAccount, PlatformAuditEvent, Tenant
from tenants.payment_accounts import AccountIsAnothers, AccountState, write_payment_account
from tenants.schema.models import IdempotencyKey
from tenants.scope import control_scope
from tests.cast import ACME, GLOBEX
from tests.conftest import HostClient
from tests.parallel import in_parallel
from tests.portal.methods.keeping import choose

from .bench import Bench, later

SETUP, CONNECT, RETURN = "/office/payments/", "/office/payments/connect", "/office/payments/return"
BANK = "/office/payments/bank"


def office(bench: Bench, role: str = "owner") -> HostClient:
    """Return Olive's browser in the office."""
    with bench.acme():
        StaffUser.objects.update(role=role)
        olive = StaffUser.objects.get()
        _, token = start_session(staff=olive, tenant_id=ACME, client=Browser(None, "test", ""), now=timezone.now())
    client = HostClient("acme.portal.localhost")
    client.cookies[cookie_name()] = token
    return client


@pytest.fixture
def unconnected(bench: Bench) -> Bench:
    """Start without an account for Acme."""
    with control_scope():
        PaymentAccount.objects.filter(tenant_id=ACME).delete()
    return bench


def version() -> int:
    """Return Acme's config_version."""
    with control_scope():
        return Tenant.objects.get(pk=ACME).config_version


def test_the_owner_connects_and_comes_back(unconnected: Bench) -> None:
    """PLT-18, PAY-17: account, Stripe's own form, and what it became by looking."""
    olive, before = office(unconnected), version()
    page = olive.get(SETUP)
    assert "Not connected" in page.content.decode()
    sent = olive.post(CONNECT)
    assert sent.status_code == 303
    assert sent["Location"].startswith(f"{unconnected.running.double.base_url}/pages/onboarding/")
    policy = page["Content-Security-Policy"]
    assert unconnected.running.double.base_url in policy[policy.index("form-action") :].split(";")[0]
    html = olive.get(SETUP).content.decode()
    assert "Not finished" in html
    assert "Bank account for payouts" in html
    finish(unconnected, sent["Location"])
    assert olive.get(RETURN)["Location"] == SETUP
    assert "Customers can pay their invoices by card" in olive.get(SETUP).content.decode()
    assert version() == before + 2, "every change is seen by every process with its next request"
    with unconnected.acme() as context:
        assert context.tenant.payment_account
        assert context.tenant.payment_account.can_charge
    with control_scope():
        assert PlatformAuditEvent.objects.filter(action="payments.account_changed", tenant_id=ACME).count() == 2


def finish(bench: Bench, url: str) -> None:
    """Fill in the double's form."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    # What is not followed counts as an error here.
    with pytest.raises(urllib.error.HTTPError, match=r"HTTP Error 30[23]"):
        urllib.request.build_opener(Stay).open(urllib.request.Request(url, b""))


def test_coming_back_without_having_finished_proves_nothing(unconnected: Bench) -> None:
    olive = office(unconnected)
    olive.post(CONNECT)
    olive.get(RETURN)
    assert "Not finished" in olive.get(SETUP).content.decode()


def test_connecting_twice_and_in_parallel_makes_one_account(unconnected: Bench) -> None:
    """The key is stored before the call."""

    def connect() -> str:
        with unconnected.acme() as context:
            return onboarding.connect_account(
                context=context, email="olive@acme.example", by=SYSTEM, now=timezone.now()
            )

    accounts = in_parallel(4, connect)
    assert len(set(accounts)) == 1
    made = [row for row in platform_stripe().v1.accounts.list({}).data if row.email == "olive@acme.example"]
    assert len(made) == 1


def test_a_crash_after_the_call_finds_the_same_account(unconnected: Bench) -> None:
    def connect() -> str:
        with unconnected.acme() as context:
            return onboarding.connect_account(context=context, email="o@acme.example", by=SYSTEM, now=later())

    first = connect()
    with control_scope():
        PaymentAccount.objects.filter(tenant_id=ACME).delete()
    with unconnected.acme():
        row = IdempotencyKey.objects.get(scope="stripe.account")
        assert row.response
        IdempotencyKey.objects.filter(pk=row.pk).update(response={"request": row.response["request"]})
    assert connect() == first


def test_only_owner_and_administrator_may_connect(unconnected: Bench) -> None:
    for role in ("manager", "csr", "accountant", "read_only"):
        client = office(unconnected, role)
        assert client.get(SETUP).status_code == 403
        assert client.post(CONNECT).status_code == 403
        assert client.post(BANK).status_code == 403
    assert office(unconnected, "admin").get(SETUP).status_code == 200
    assert HostClient("acme.portal.localhost").post(CONNECT).status_code == 302


def test_while_stripe_is_away_the_page_says_so(unconnected: Bench) -> None:
    """F23."""
    unconnected.break_api("503", path="^/v2/core/accounts", times=3)
    olive = office(unconnected)
    assert olive.post(CONNECT)["Location"] == SETUP
    assert "Stripe didn’t answer" in olive.get(SETUP).content.decode()


def test_bank_debits_are_asked_for_where_the_company_takes_them(unconnected: Bench) -> None:
    """PAY-04, PLT-18: with the account itself; the office sees whether they work."""
    olive = office(unconnected)
    sent = olive.post(CONNECT)
    assert "Stripe needs something" in olive.get(SETUP).content.decode()
    finish(unconnected, sent["Location"])
    olive.get(RETURN)
    assert capabilities() == {"card_payments": "active", "ach_debit_payments": "active"}
    html = olive.get(SETUP).content.decode()
    assert "Bank payments" in html
    assert "Ask Stripe for bank payments" not in html


def test_a_company_that_takes_cards_only_asks_later(unconnected: Bench) -> None:
    """PAY-04: nothing is asked for that is not wanted; once it is, a connected account gets it by one button."""
    choose(unconnected, pay__methods=["card"])
    olive = office(unconnected)
    finish(unconnected, olive.post(CONNECT)["Location"])
    olive.get(RETURN)
    assert capabilities() == {"card_payments": "active", "ach_debit_payments": ""}
    assert "Bank payments" not in olive.get(SETUP).content.decode()
    olive.post(BANK)
    assert capabilities()["ach_debit_payments"] == ""
    choose(unconnected, pay__methods=["card", "ach"])
    html = olive.get(SETUP).content.decode()
    assert "Not asked for yet" in html
    assert "Ask Stripe for bank payments" in html
    unconnected.break_api("503", path="^/v2/core/accounts/", times=3)
    olive.post(BANK)
    assert "Stripe didn’t answer" in olive.get(SETUP).content.decode()
    olive.post(BANK)
    assert capabilities()["ach_debit_payments"] == "active"


def capabilities() -> dict[str, str]:
    """Return what Acme's account can do, as we know it."""
    with control_scope():
        account = PaymentAccount.objects.get(tenant_id=ACME)
    return {"card_payments": account.card_payments, "ach_debit_payments": account.bank_payments}


def test_an_account_belongs_to_one_company_for_ever(bench: Bench) -> None:
    """PAY-17."""

    def state(account: str) -> AccountState:
        return AccountState(account, False, "active", True, ())

    with pytest.raises(AccountIsAnothers):
        write_payment_account(tenant_id=ACME, state=state(bench.other_account), by=SYSTEM, now=later())
    with pytest.raises(AccountIsAnothers):
        write_payment_account(tenant_id=ACME, state=state("acct_new"), by=SYSTEM, now=later())
    with control_scope():
        PaymentAccount.objects.filter(tenant_id=GLOBEX).delete()
    with pytest.raises(AccountIsAnothers):
        write_payment_account(tenant_id=GLOBEX, state=state(bench.account), by=SYSTEM, now=later())


def test_looking_again_without_a_change_raises_no_version(bench: Bench) -> None:
    onboarding.refresh_account(tenant_id=ACME, account_id=bench.account, by=SYSTEM, now=later())
    before = version()
    onboarding.refresh_account(tenant_id=ACME, account_id=bench.account, by=SYSTEM, now=later())
    assert version() == before
