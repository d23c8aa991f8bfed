"""The pay page and the result page, as a customer's browser sees them."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.accounts.models import PortalUser
from portal.invoices.models import Invoice
from portal.payments.models import PaymentAttempt
from tests.conftest import HostClient

from .bench import ANY_INTENT, Bench, later

State = PaymentAttempt.State


def url_of(bench: Bench, number: str = "1042") -> str:
    """Return the pay page's address."""
    return f"/pay/{bench.invoice(number).pk}"


def form_of(html: str) -> dict[str, str]:
    """Return the hidden fields of the pay form, as a browser sends them."""
    names = ("form_key", "seen_cents", "token")
    return {name: (re.search(rf'name="{name}"(?: value="([^"]*)")?', html) or ["", ""])[1] or "" for name in names}


def submit(
    browser: HostClient, url: str, token: str, *, as_json: bool = False, changes: dict[str, str] | None = None
) -> Any:
    """Open the page, then send what it holds."""
    form = {**form_of(browser.get(url).content.decode()), "token": token, **(changes or {})}
    headers = {"host": browser.host, **({"accept": "application/json"} if as_json else {})}
    return browser.post(url, form, headers=headers)


def test_the_page_shows_the_amount_and_allows_stripe_here_only(bench: Bench) -> None:
    """PAY-02: Stripe's origins stand in this page's policy and in no other's."""
    browser = bench.browser()
    page = browser.get(url_of(bench))
    html = page.content.decode()
    assert "Pay $412.50" in html
    assert "CANARY" not in html
    double = bench.running.double
    policy = dict(part.strip().split(" ", 1) for part in page["Content-Security-Policy"].split(";"))
    for name in ("script-src", "frame-src", "connect-src"):
        assert double.element_url in policy[name]
    assert re.search(rf'<script src="{double.base_url}/endive/stripe.js" defer nonce="[^"]+"', html)
    client = json.loads(re.search(r'<script id="pay-client"[^>]*>(.*?)</script>', html)[1])  # type: ignore[index]
    assert (client["account"], client["amount"], client["currency"]) == (bench.account, 41250, "usd")
    assert client["publishableKey"].startswith("pk_test_")
    elsewhere = browser.get("/invoices/")
    assert double.element_url not in elsewhere["Content-Security-Policy"]


def test_without_javascript_the_page_says_so_and_names_the_phone(bench: Bench) -> None:
    html = bench.browser().get(url_of(bench)).content.decode()
    (without_script,) = re.findall(r"<noscript>(.*?)</noscript>", html, re.S)
    assert "needs JavaScript" in without_script
    assert "tel:+15125550100" in without_script


def test_no_field_of_the_form_could_carry_a_card(bench: Bench) -> None:
    """PAY-01."""
    html = bench.browser().get(url_of(bench)).content.decode()
    form = html[html.index('id="pay-form"') :]
    names = set(re.findall(r'name="([^"]+)"', form[: form.index("</form>")]))
    assert names == {"csrfmiddlewaretoken", "form_key", "seen_cents", "token", "part", "amount", "save"}


def test_paying_leads_to_the_receipt(bench: Bench) -> None:
    browser = bench.browser()
    answer = submit(browser, url_of(bench), bench.token())
    assert answer.status_code == 303
    html = browser.get(answer["Location"]).content.decode()
    for shown in ("Paid $412.50", "R-1101", "Invoice 1042", "Visa ending 4242", "$0.00"):
        assert shown in html
    assert "data-poll-url" not in html
    assert browser.get(url_of(bench)).status_code == 302


def test_a_decline_keeps_the_page_and_gives_it_a_new_key(bench: Bench) -> None:
    """F8: heading and sentence in words, no code, nothing of Stripe's own message."""
    browser = bench.browser()
    first = form_of(browser.get(url_of(bench)).content.decode())
    answer = browser.post(url_of(bench), {**first, "token": bench.token("pm_card_chargeDeclined")})
    html = answer.content.decode()
    assert answer.status_code == 402
    assert "Your bank didn’t approve this card" in html
    assert "Nothing was charged" in html
    assert "card_declined" not in html
    second = form_of(html)
    assert UUID(second["form_key"]) != UUID(first["form_key"])
    assert browser.post(url_of(bench), {**second, "token": bench.token()}).status_code == 303


def test_the_script_gets_the_same_answers_as_json(bench: Bench) -> None:
    browser = bench.browser()
    declined = submit(browser, url_of(bench), bench.token("pm_card_chargeDeclinedExpiredCard"), as_json=True)
    assert declined.status_code == 402
    assert declined.json()["title"] == "This card has expired"
    paid = submit(browser, url_of(bench), bench.token(), as_json=True)
    assert re.fullmatch(r"/pay/result/[0-9a-f-]{36}", paid.json()["url"])


def test_the_back_button_and_a_second_post_pay_once(bench: Bench) -> None:
    """F5."""
    browser = bench.browser()
    form = {**form_of(browser.get(url_of(bench)).content.decode()), "token": bench.token()}
    first, second = browser.post(url_of(bench), form), browser.post(url_of(bench), form)
    assert first["Location"] == second["Location"]
    assert bench.charged() == 41250


@pytest.mark.parametrize(
    "lie",
    [{"seen_cents": "1"}, {"seen_cents": "99999999"}],
)
def test_the_clients_figure_is_compared_and_never_charged(bench: Bench, lie: dict[str, str]) -> None:
    """PAY-03."""
    browser = bench.browser()
    answer = submit(browser, url_of(bench), bench.token(), changes=lie)
    assert (answer.status_code, answer["Location"]) == (303, f"{url_of(bench)}?changed=1")
    assert "now $412.50" in browser.get(answer["Location"]).content.decode()
    assert bench.intents() == []


@pytest.mark.parametrize(
    "extra",
    [
        {"amount": "100"},
        {"amount_cents": "100", "currency": "jpy"},
        {"account": "acct_other", "application_fee_amount": "0"},
        {"invoice": "1043", "plan": "[]"},
    ],
)
def test_other_fields_are_ignored(bench: Bench, extra: dict[str, str]) -> None:
    """PAY-03: amount, currency, account and invoice come from the database."""
    assert submit(bench.browser(), url_of(bench), bench.token(), changes=extra).status_code == 303
    assert [(i.amount, i.currency) for i in bench.intents()] == [(41250, "usd")]


@pytest.mark.parametrize("token", ["", "4242424242424242", "pi_3x", "ctoken_", "ctoken_x'; --", "ctoken_" + "x" * 80])
def test_a_token_that_is_none_is_refused_and_not_kept(bench: Bench, token: str) -> None:
    """PAY-01: a card number typed into the field by hand goes nowhere."""
    assert submit(bench.browser(), url_of(bench), token).status_code == 409
    with bench.acme():
        assert not PaymentAttempt.objects.exists()


def test_strangers_and_neighbours_find_no_page(bench: Bench) -> None:
    """AUZ-02: unknown and forbidden look alike, for reading, paying and looking at results."""
    alice, bob = bench.browser(), bench.browser("bob@example.com")
    paid = submit(alice, url_of(bench), bench.token())["Location"]
    stranger = HostClient("acme.portal.localhost")
    assert stranger.get(url_of(bench)).status_code == 302
    assert stranger.post(url_of(bench), {}).status_code == 302
    for path in (url_of(bench), paid, f"{paid}/status", f"/pay/{uuid4()}", f"/pay/result/{uuid4()}"):
        assert bob.get(path).status_code == 404
    assert bob.post(url_of(bench), {"form_key": uuid4(), "seen_cents": 1, "token": bench.token()}).status_code == 404


def test_another_page_of_the_internet_cannot_pay(bench: Bench) -> None:
    browser = bench.browser()
    answer = browser.post(url_of(bench), {}, headers={"host": browser.host, "origin": "http://globex.portal.localhost"})
    assert answer.status_code == 403


def test_an_unknown_result_waits_and_resolves_itself(bench: Bench) -> None:
    """F1, F-50: "please don't pay again", then the receipt, without a second charge."""
    browser = bench.browser()
    token, url = bench.token(), url_of(bench)
    browser.get(url)
    bench.break_api("timeout_after", times=3, seconds=0.01)
    bench.break_api("503", path=ANY_INTENT, method="GET", times=6)
    where = submit(browser, url, token)["Location"]
    bench.break_api("503", path=ANY_INTENT, times=3)
    waiting = browser.get(where).content.decode()
    assert "We’re checking with your bank" in waiting
    assert "don’t pay again" in waiting
    assert f'data-poll-url="{where}/status"' in waiting
    bench.heal()
    answered = browser.get(f"{where}/status").content.decode()
    assert "Paid $412.50" in answered
    assert "data-poll-url" not in answered
    assert "<html" not in answered
    assert bench.charged() == 41250


def test_while_somebody_pays_the_page_offers_no_form(bench: Bench) -> None:
    """F6."""
    bench.break_api("timeout_after", times=3, seconds=0.01)
    attempt = bench.pay("1042").attempt
    with bench.acme():
        bob = PortalUser.objects.get(email="bob@example.com")
        PaymentAttempt.objects.filter(pk=attempt.pk).update(portal_user=bob)
    browser = bench.browser()
    html = browser.get(url_of(bench)).content.decode()
    assert "is being processed right now" in html
    assert 'id="pay-form"' not in html
    refused = browser.post(url_of(bench), {"form_key": uuid4(), "seen_cents": 41250, "token": bench.token()})
    assert refused.status_code == 409
    assert "won’t be charged twice" in refused.content.decode()


def test_whoever_has_a_payment_under_way_is_led_to_it(bench: Bench) -> None:
    """F1: nobody is offered to pay again what may be paid already."""
    bench.break_api("timeout_after", times=3, seconds=0.01)
    attempt = bench.pay("1042").attempt
    assert bench.browser().get(url_of(bench))["Location"] == f"/pay/result/{attempt.pk}"


def test_a_company_without_cards_names_its_phone(bench: Bench) -> None:
    """F22, PLT-18."""
    from tenants.models import PaymentAccount
    from tenants.scope import control_scope

    with control_scope():
        PaymentAccount.objects.filter(account_id=bench.account).update(card_payments="restricted")
    html = bench.browser().get(url_of(bench)).content.decode()
    assert "Card payments don’t work right now" in html
    assert "tel:+15125550100" in html
    assert 'id="pay-form"' not in html


def test_the_banks_page_is_opened_by_the_result_page(bench: Bench) -> None:
    browser = bench.browser()
    where = submit(browser, url_of(bench), bench.token("pm_card_threeDSecure2Required"))["Location"]
    page = browser.get(where)
    html = page.content.decode()
    assert "Your bank wants to check" in html
    assert page["Cache-Control"] == "no-store"
    client = json.loads(re.search(r'<script id="pay-client"[^>]*>(.*?)</script>', html)[1])  # type: ignore[index]
    assert client["account"] == bench.account
    with bench.acme():
        attempt = PaymentAttempt.objects.get()
    assert client["secret"].startswith(f"{attempt.stripe_pi_id}_secret_")
    bench.as_bank(attempt, passed=False)
    failed = browser.get(where)
    assert failed.status_code == 303
    html = browser.get(failed["Location"]).content.decode()
    assert "couldn’t check that it’s you" in html
    assert 'id="pay-form"' in html


def test_an_expired_attempt_leads_back_with_the_cause(bench: Bench) -> None:
    """F14."""
    from portal.payments.services.settle import resume_attempts

    browser = bench.browser()
    where = submit(browser, url_of(bench), bench.token("pm_card_threeDSecure2Required"))["Location"]
    with bench.acme() as context:
        resume_attempts(context=context, now=later(minutes=16))
    html = browser.get(browser.get(where)["Location"]).content.decode()
    assert "wasn’t finished in time" in html


def test_a_void_invoice_is_not_found(bench: Bench) -> None:
    url = url_of(bench)
    with bench.acme():
        Invoice.objects.filter(number="1042").update(status="void", voided_at=later())
    assert bench.browser().get(url).status_code == 404
