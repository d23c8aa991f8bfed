"""Paying an invoice from its link, without signing in (SHARE-09, P-34): the portal's own payment pages, one invoice."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from portal.invoices.models import Invoice
from portal.payments.models import Payment, PaymentAttempt
from portal.sharing.browser import cookie_name
from portal.sharing.links import Minted
from portal.sharing.models import ShareLink
from tests.conftest import HostClient
from tests.isolation.answers import shape_of
from tests.portal.methods.keeping import keep, methods
from tests.portal.methods.test_method_pages import office
from tests.portal.payments.bench import Bench
from tests.portal.payments.test_pages import form_of
from tests.portal.sharing.making import make_link, settle_on

WHO = {"name": "Pat Payer", "email": "pat@example.net"}


def visit(made: Minted) -> tuple[HostClient, str]:
    """Open a fresh browser on the link's pay page."""
    browser = HostClient("acme.portal.localhost")
    begun = browser.get(f"/s/{made.token}/pay")
    assert begun.status_code == 302
    return browser, begun["Location"]


def submit(bench: Bench, browser: HostClient, url: str, card: str = "pm_card_visa", **changes: str) -> Any:
    """Fill the page in and send it."""
    form = {**form_of(browser.get(url).content.decode()), **WHO, "token": bench.token(card), **changes}
    return browser.post(url, form)


def test_whoever_holds_the_link_pays_and_gets_the_receipt(bench: Bench) -> None:
    """SHARE-06, SHARE-09, PAY-22: page and mail; the books say through which link."""
    made = make_link()
    browser, url = visit(made)
    answer = submit(bench, browser, url)
    assert answer.status_code == 303
    html = browser.get(answer["Location"]).content.decode()
    for shown in ("Paid $412.50", "R-1101", "Visa ending 4242", f"/s/{made.token}"):
        assert shown in html
    assert "All invoices" not in html
    (payment,) = bench.payments()
    with bench.acme():
        attempt = PaymentAttempt.objects.get()
    assert payment.origin == Payment.Origin.LINK
    assert (attempt.portal_user_id, attempt.share_link_id) == (None, made.row.pk)
    assert (attempt.payer_name, attempt.payer_email) == ("Pat Payer", "pat@example.net")
    assert bench.charged() == 41250
    page = office(bench).get(f"/office/payments/received/{payment.pk}").content.decode()
    assert "Pat Payer (pat@example.net), by link" in page
    bench.deliver_mail()
    (receipt,) = mail.outbox
    assert receipt.to == ["pat@example.net"]
    assert "R-1101" in receipt.body
    assert "See your account" not in receipt.body
    shown = browser.get(f"/s/{made.token}").content.decode()
    assert "Paid" in shown
    assert "/pay" not in shown
    assert browser.get(url)["Location"] == f"/s/{made.token}"


def test_neither_stripe_nor_the_books_learn_the_token(bench: Bench) -> None:
    """AUN-16, AUZ-06: no address with Stripe's script, none that goes to Stripe, and no row holds it."""
    made = make_link()
    browser, url = visit(made)
    assert made.token not in url
    answer = submit(bench, browser, url)
    assert made.token not in answer["Location"]
    assert made.token not in repr(bench.control("state"))
    with bench.acme():
        rows = [*PaymentAttempt.objects.values(), *Payment.objects.values(), *ShareLink.objects.values()]
    assert made.token not in repr(rows)
    assert "/s/paid/" in repr(rows), "the bank sends back to the link's own result page"


@pytest.mark.parametrize("wrong", [{"email": ""}, {"name": ""}, {"email": "pat"}, {"name": "x" * 121}])
def test_nobody_pays_without_saying_whom_the_receipt_goes_to(bench: Bench, wrong: dict[str, str]) -> None:
    browser, url = visit(make_link())
    answer = submit(bench, browser, url, **wrong)
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "Check your name and e-mail address" in html
    assert "Nothing was charged" in html
    assert bench.intents() == []


def test_a_link_neither_uses_nor_keeps_a_card_on_file(bench: Bench) -> None:
    """PAY-20, AUZ-07: not by the page, and not by a form that was changed."""
    row = keep(bench).row
    made = make_link()
    browser, url = visit(made)
    html = browser.get(url).content.decode()
    assert str(row.pk) not in html
    assert 'name="save"' not in html
    answer = submit(bench, browser, url, method=str(row.pk))
    assert answer.status_code == 409
    assert bench.charged() == 0
    assert submit(bench, browser, url, save="on").status_code == 303
    for _ in range(2):
        bench.deliver_mail()
    assert [known.pk for known in methods(bench)] == [row.pk]


def test_a_receipt_is_for_the_browser_that_paid(bench: Bench) -> None:
    """AUZ-05: links are passed on; whoever else holds one sees the invoice, not somebody's receipt."""
    made = make_link()
    browser, url = visit(made)
    where = submit(bench, browser, url)["Location"]
    other, _ = visit(made)
    nothing = shape_of(other.get("/no/such/page"), {})
    for path in (where, f"{where}/status"):
        assert shape_of(other.get(path), {}) == nothing
        assert HostClient("acme.portal.localhost").get(path).status_code == 404
    assert bench.browser().get(where).status_code == 404, "nor a signed-in person's"
    assert bench.browser().get(where.replace("/s/paid/", "/pay/result/")).status_code == 404


def test_two_holders_of_one_link_do_not_take_each_others_payment_away(bench: Bench) -> None:
    """F6: whoever waits at their bank's page keeps their place; the other one is told."""
    made = make_link()
    first, url = visit(made)
    assert submit(bench, first, url, "pm_card_threeDSecure2Required").status_code == 303
    second, _ = visit(made)
    page = second.get(url).content.decode()
    assert "being processed right now" in page
    assert "pay-button" not in page
    with bench.acme():
        waiting = PaymentAttempt.objects.get()
    bench.as_bank(waiting, passed=True)
    assert "Paid $412.50" in first.get(f"/s/paid/{waiting.pk}").content.decode()
    assert bench.charged() == 41250


def test_the_same_browser_may_start_over_at_the_banks_page(bench: Bench) -> None:
    browser, url = visit(make_link())
    submit(bench, browser, url, "pm_card_threeDSecure2Required")
    answer = submit(bench, browser, url)
    assert "Paid $412.50" in browser.get(answer["Location"]).content.decode()
    assert sorted(intent.status for intent in bench.intents()) == ["canceled", "succeeded"]
    assert bench.charged() == 41250


def test_a_declined_card_and_then_another(bench: Bench) -> None:
    """F8: what the payer typed about themselves is kept."""
    browser, url = visit(make_link())
    declined = submit(bench, browser, url, "pm_card_chargeDeclinedInsufficientFunds")
    assert declined.status_code == 402
    html = declined.content.decode()
    assert "There isn’t enough money on this card" in html
    assert "pat@example.net" in html
    assert submit(bench, browser, url).status_code == 303
    assert bench.charged() == 41250


def test_a_failed_check_by_the_bank_leads_back_to_the_links_pay_page(bench: Bench) -> None:
    browser, url = visit(make_link())
    where = submit(bench, browser, url, "pm_card_threeDSecure2Required")["Location"]
    with bench.acme():
        attempt = PaymentAttempt.objects.get()
    bench.as_bank(attempt, passed=False)
    back = browser.get(where)["Location"]
    assert back.startswith(url)
    assert "couldn’t check that it’s you" in browser.get(back).content.decode()


def test_a_part_is_paid_by_link(bench: Bench) -> None:
    """PAY-05."""
    browser, url = visit(make_link())
    answer = submit(bench, browser, url, part="part", amount="100.00")
    assert "$312.50" in browser.get(answer["Location"]).content.decode()
    assert bench.charged() == 10000


def test_an_amount_changed_in_the_form_is_refused(bench: Bench) -> None:
    """PAY-03, AUZ-07: neither the amount nor another invoice can be smuggled in."""
    browser, url = visit(make_link())
    other = bench.invoice("1044").pk
    for wrong in ({"seen_cents": "100"}, {"seen_cents": "-1"}, {"seen_cents": "", "invoice": str(other)}):
        answer = submit(bench, browser, url, **wrong)
        assert answer.status_code in (303, 409)
    assert bench.intents() == []
    submit(bench, browser, url, invoice=str(other), bill_to=str(other))
    assert bench.invoice("1044").paid_cents == 0
    assert bench.invoice("1042").paid_cents == 41250


@pytest.mark.parametrize("field", ["revoked_at", "expires_at"])
def test_a_link_that_ended_meanwhile_takes_no_money(bench: Bench, field: str) -> None:
    """AUZ-06: in force with the next request, also for a page that is open."""
    browser, url = visit(make_link())
    form = {**form_of(browser.get(url).content.decode()), **WHO, "token": bench.token()}
    with bench.acme():
        ShareLink.objects.update(**{field: timezone.now()})
    assert browser.post(url, form).status_code == 410
    assert bench.intents() == []


def test_a_receipt_stays_although_the_link_has_ended(bench: Bench) -> None:
    browser, url = visit(make_link())
    where = submit(bench, browser, url)["Location"]
    with bench.acme():
        ShareLink.objects.update(revoked_at=timezone.now())
    assert "Paid $412.50" in browser.get(where).content.decode()


def test_a_void_invoice_is_not_paid_by_a_page_that_is_open(bench: Bench) -> None:
    browser, url = visit(make_link())
    form = {**form_of(browser.get(url).content.decode()), **WHO, "token": bench.token()}
    with bench.acme():
        Invoice.objects.filter(number="1042").update(status="void", voided_at=timezone.now())
    assert browser.post(url, form).status_code == 410
    assert bench.intents() == []


def test_an_invoice_is_paid_by_link_while_the_portal_is_off(bench: Bench) -> None:
    """SHARE-08, C-19."""
    settle_on(**{"portal.enabled": False})
    browser, url = visit(make_link())
    answer = submit(bench, browser, url)
    assert "Paid $412.50" in browser.get(answer["Location"]).content.decode()


def test_two_links_in_one_browser(bench: Bench) -> None:
    """Each opens its own; the ring keeps both."""
    one, two = make_link("1042"), make_link("1043")
    browser, first = visit(one)
    second = browser.get(f"/s/{two.token}/pay")["Location"]
    assert "Pay $412.50" in browser.get(first).content.decode()
    assert "Pay $129.00" in browser.get(second).content.decode()
    assert browser.cookies[cookie_name()]["httponly"]
    assert browser.cookies[cookie_name()]["samesite"] == "Lax"


def test_a_signed_in_customer_and_a_link_do_not_pay_twice(bench: Bench) -> None:
    """F6: one invoice, two doors, one charge."""
    browser, url = visit(make_link())
    form = {**form_of(browser.get(url).content.decode()), **WHO, "token": bench.token()}
    bench.pay("1042")
    assert browser.post(url, form).status_code == 409
    assert bench.charged() == 41250
