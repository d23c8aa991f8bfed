"""Paying a part, several invoices at once, and the whole balance oldest first (PAY-05…08)."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from hypothesis import given
from hypothesis import strategies as st

from portal.invoices.models import Invoice
from portal.payments import errors
from portal.payments.models import PaymentAllocation
from portal.payments.plans import PayRules, check_part, plan_of
from tenants.config.services import write_owner_settings
from tenants.models import Tenant
from tenants.scope import control_scope
from tests.cast import ACME
from tests.parallel import in_parallel

from .bench import Bench, later
from .test_office_refunds import office
from .test_pages import form_of, url_of

ANY = PayRules("any", 500, several=True)
SINGLE = PayRules("single_invoice", 500, several=True)
cents = st.integers(min_value=50, max_value=2_000_00)


def settle_on(**values: Any) -> None:
    """Change Acme's settings."""
    from tenants.audit import SYSTEM

    with control_scope():
        version = Tenant.objects.get(pk=ACME).config_version
    write_owner_settings(tenant_id=ACME, values=values, expected_version=version, by=SYSTEM, now=later())


def invoices_of(*payable: int) -> list[Invoice]:
    """Return unsaved invoices over these amounts, the first one due first."""
    from datetime import date, timedelta

    first = date(2026, 1, 1)
    found = []
    for index, amount in enumerate(payable):
        invoice = Invoice(number=f"{index}", currency="USD", total_cents=amount, due_on=first + timedelta(index))
        invoice.balance_cents = amount
        found.append(invoice)
    return found


@given(payable=st.lists(cents, min_size=1, max_size=6), share=st.floats(min_value=0, max_value=1))
def test_a_plan_loses_nothing_and_pays_the_oldest_first(payable: list[int], share: float) -> None:
    """PAY-07."""
    invoices = invoices_of(*payable)
    amount = int(sum(payable) * share)
    plan = plan_of(invoices[::-1], amount)
    assert sum(part.amount_cents for part in plan) == amount
    by_id = {invoice.pk: invoice for invoice in invoices}
    assert [by_id[part.invoice_id] for part in plan] == invoices[: len(plan)]
    assert all(part.amount_cents == by_id[part.invoice_id].total_cents for part in plan[:-1])


@given(payable=st.lists(cents, min_size=1, max_size=5), amount=st.integers(min_value=1, max_value=10_000_00))
def test_whatever_is_allowed_leaves_nothing_unpayable(payable: list[int], amount: int) -> None:
    """PAY-05: never 1 to 49 cents of an invoice."""
    invoices = invoices_of(*payable)
    try:
        check_part(invoices, amount, ANY)
    except errors.PaymentRefused:
        return
    left = {invoice.pk: invoice.total_cents for invoice in invoices}
    for part in plan_of(invoices, amount):
        left[part.invoice_id] -= part.amount_cents
    assert all(rest == 0 or rest >= 50 for rest in left.values())
    assert amount <= sum(payable)


@pytest.mark.parametrize(
    ("rules", "count", "amount", "refusal"),
    [
        (PayRules("off", 500), 1, 1000, errors.PartNotAllowed),
        (SINGLE, 2, 1000, errors.PartNotAllowed),
        (SINGLE, 1, 499, errors.PartTooSmall),
        (SINGLE, 1, 9951, errors.LeavesTooLittle),
        (SINGLE, 1, 9999, errors.LeavesTooLittle),
        (SINGLE, 1, 10001, errors.PartTooLarge),
        (ANY, 2, 9999, errors.LeavesTooLittle),
        (ANY, 2, 20001, errors.PartTooLarge),
    ],
)
def test_a_part_beyond_the_rules_is_refused(rules: PayRules, count: int, amount: int, refusal: type) -> None:
    """PAY-05, PAY-06, C-10."""
    with pytest.raises(refusal):
        check_part(invoices_of(*[10000] * count), amount, rules)


@pytest.mark.parametrize(("rules", "count", "amount"), [(SINGLE, 1, 9950), (SINGLE, 1, 500), (ANY, 2, 10500)])
def test_a_part_within_the_rules_is_taken(rules: PayRules, count: int, amount: int) -> None:
    check_part(invoices_of(*[10000] * count), amount, rules)


def test_the_whole_amount_is_never_a_part() -> None:
    check_part(invoices_of(30, 40), 70, PayRules())


def test_a_part_is_charged_and_the_rest_stays_due(bench: Bench) -> None:
    """PAY-05: intent, allocation and balance say the same."""
    bench.pay("1042", part=10000, rules=SINGLE)
    invoice = bench.invoice()
    assert (invoice.status, invoice.paid_cents, invoice.balance_cents) == ("partially_paid", 10000, 31250)
    assert bench.charged() == 10000
    bench.pay("1042")
    assert bench.invoice().status == "paid"


def test_two_payers_of_parts_never_take_more_than_is_due(bench: Bench) -> None:
    """PAY-03, datamodel.md 7.2: each sees what the other holds, or is told that somebody pays."""
    tokens = iter([bench.token() for _ in range(4)])
    in_parallel(4, lambda: bench.pay("1042", part=30000, seen=41250, token=next(tokens), rules=SINGLE))
    assert bench.charged() == 30000
    assert bench.invoice().balance_cents == 11250


def test_the_balance_is_one_charge_over_all_invoices(bench: Bench) -> None:
    """PAY-07, PAY-08: one PaymentIntent, one allocation for each invoice, one receipt that names them."""
    bench.pay("1042", "1043", rules=ANY)
    assert (bench.invoice("1042").status, bench.invoice("1043").status) == ("paid", "paid")
    assert [intent.amount for intent in bench.intents()] == [54150]
    with bench.acme():
        rows = PaymentAllocation.objects.order_by("invoice__number").values_list("invoice__number", "amount_cents")
        assert list(rows) == [("1042", 41250), ("1043", 12900)]
    bench.deliver_mail()
    assert "Invoice 1042, Invoice 1043" in mail.outbox[0].body


def test_a_part_of_the_balance_pays_the_oldest_first(bench: Bench) -> None:
    bench.pay("1042", "1043", part=45000, rules=ANY)
    assert bench.invoice("1042").status == "paid"
    assert bench.invoice("1043").paid_cents == 3750


def test_one_of_several_held_by_somebody_refuses_all(bench: Bench) -> None:
    """F6: the amount the payer saw is not what can be charged now."""
    bench.pay("1043", method="pm_card_threeDSecure2Required", user="bob@example.com")
    with pytest.raises(errors.SomebodyIsPaying):
        bench.pay("1042", "1043", seen=54150, rules=ANY)
    assert bench.invoice("1042").reserved_cents == 0


def test_several_are_refused_where_the_company_wants_one_by_one(bench: Bench) -> None:
    """C-11."""
    with pytest.raises(errors.PartNotAllowed):
        bench.pay("1042", "1043")
    settle_on(**{"pay.multi": False})
    browser = bench.browser()
    assert browser.get("/pay/?all=1").status_code == 404
    assert "Pay balance" not in browser.get("/invoices/").content.decode()


def test_a_refund_of_several_goes_back_line_by_line(bench: Bench) -> None:
    """The office decides which invoice reopens."""
    bench.pay("1042", "1043", rules=ANY)
    bench.refund(50000)
    assert bench.invoice("1042").status == "open"
    assert bench.invoice("1043").balance_cents == 8750


def submit(bench: Bench, url: str, **changes: str) -> Any:
    """Open a pay page and send it."""
    browser = bench.browser()
    form = {**form_of(browser.get(url).content.decode()), "token": bench.token(), **changes}
    return browser, browser.post(url, form)


def test_the_page_offers_a_part_of_one_invoice(bench: Bench) -> None:
    html = bench.browser().get(url_of(bench)).content.decode()
    assert "The whole amount, $412.50" in html
    assert "At least $5.00" in html
    browser, answer = submit(bench, url_of(bench), part="part", amount="100.00")
    assert answer.status_code == 303
    html = browser.get(answer["Location"]).content.decode()
    for shown in ("Paid $100.00", "$312.50"):
        assert shown in html


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("4.99", "That is too little"),
        ("412.49", "Too little would be left"),
        ("500", "That is more than is due"),
        ("-1", "Check the amount"),
        ("abc", "Check the amount"),
        ("", "Check the amount"),
        ("4242424242424242", "Check the amount"),
        ("1.005", "Check the amount"),
    ],
)
def test_a_part_that_cannot_be_paid_is_explained(bench: Bench, amount: str, said: str) -> None:
    """PAY-01, PAY-03, PAY-05: nothing is charged, and what was typed is not repeated."""
    _browser, answer = submit(bench, url_of(bench), part="part", amount=amount)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert said in html
    assert "4242424242424242" not in html
    assert bench.intents() == []


def test_where_parts_are_off_the_page_offers_none_and_takes_none(bench: Bench) -> None:
    """C-10."""
    settle_on(**{"pay.partial": "off"})
    assert "The whole amount" not in bench.browser().get(url_of(bench)).content.decode()
    _browser, answer = submit(bench, url_of(bench), part="part", amount="100")
    assert answer.status_code == 409
    assert "Only the whole amount can be paid here" in answer.content.decode()


def test_the_list_lets_tick_and_pay_the_balance(bench: Bench) -> None:
    browser = bench.browser()
    html = browser.get("/invoices/").content.decode()
    assert "Pay balance $541.50" in html
    ids = re.findall(r'name="invoice" value="([^"]+)"', html)
    assert len(ids) == 2
    page = browser.get("/pay/?" + "&".join(f"invoice={each}" for each in ids)).content.decode()
    for shown in ("Invoice 1042", "Invoice 1043", "Pay $541.50", "2 invoices in one payment"):
        assert shown in page
    _browser, answer = submit(bench, "/pay/?all=1")
    assert answer.status_code == 303
    html = browser.get(answer["Location"]).content.decode()
    for shown in ("Paid $541.50", "Invoice 1042", "Invoice 1043"):
        assert shown in html
    assert "Pay balance" not in browser.get("/invoices/").content.decode()


def test_ticking_one_leads_to_its_own_page(bench: Bench) -> None:
    invoice = bench.invoice()
    assert bench.browser().get(f"/pay/?invoice={invoice.pk}")["Location"] == f"/pay/{invoice.pk}"
    assert bench.browser().get("/pay/")["Location"] == "/invoices/"


def test_a_foreign_invoice_among_several_is_not_found(bench: Bench) -> None:
    """AUZ-08: alike for unknown and forbidden, for reading and for paying."""
    mine, bobs = bench.invoice("1042").pk, bench.invoice("1044").pk
    browser = bench.browser()
    for other in (bobs, uuid4(), "nonsense"):
        url = f"/pay/?invoice={mine}&invoice={other}"
        assert browser.get(url).status_code == 404
        form = {"form_key": str(uuid4()), "seen_cents": "107250", "token": bench.token()}
        assert browser.post(url, form).status_code == 404
    assert bench.intents() == []


def test_a_failed_payment_of_several_leads_back_to_all_of_them(bench: Bench) -> None:
    """F8."""
    browser = bench.browser()
    url = "/pay/?all=1"
    form = {**form_of(browser.get(url).content.decode()), "token": bench.token("pm_card_threeDSecure2Required")}
    where = browser.post(url, form)["Location"]
    with bench.acme():
        from portal.payments.models import PaymentAttempt

        attempt = PaymentAttempt.objects.get()
    bench.as_bank(attempt, passed=False)
    failed = browser.get(where)
    assert failed["Location"].count("invoice=") == 2
    html = browser.get(failed["Location"]).content.decode()
    assert "couldn’t check that it’s you" in html
    assert "Pay $541.50" in html


def test_the_owner_decides_what_customers_may_pay(bench: Bench) -> None:
    """C-10, C-11: changed in the office, in force with the next request; checked, and for owners only."""
    browser, url = office(bench), "/office/payments/rules"
    html = browser.get(url).content.decode()
    (version,) = re.findall(r'name="version" value="(\d+)"', html)
    wanted = {"version": version, "partial": "off", "minimum": "20.00"}
    for wrong in ({"partial": "always"}, {"minimum": "0.49"}, {"minimum": "x"}, {"version": "x"}):
        assert browser.post(url, {**wanted, **wrong}).status_code == 422
    assert browser.post(url, wanted)["Location"] == url
    assert "The whole amount" not in bench.browser().get(url_of(bench)).content.decode()
    assert bench.browser().get("/pay/?all=1").status_code == 404
    browser.post(url, {**wanted, "partial": "any"})
    assert "The whole amount" not in bench.browser().get(url_of(bench)).content.decode(), "an old page saves nothing"
    manager = office(bench, "manager")
    assert manager.get(url).status_code == 200
    assert manager.post(url, wanted).status_code == 403
