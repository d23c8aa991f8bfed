"""Credit: what fits no invoice is the customer's, and is applied or given back in one click."""

from __future__ import annotations

import re

import pytest

from portal.invoices.models import Invoice
from portal.payments import errors
from portal.payments.models import Credit, Journal
from portal.payments.services.credits import apply_credit
from tenants.audit import Actor
from tenants.schema.models import AuditEvent
from tests.parallel import in_parallel

from .bench import Bench, later
from .test_office_refunds import office

OLIVE = Actor("staff", None, "Olive Owens")


def make_credit(bench: Bench) -> Credit:
    """Leave 412.50 of credit: 1042 was paid, disputed, paid again, and the dispute was won."""
    from .test_disputes import decide

    bench.pay("1042")
    (first,) = bench.payments()
    dispute_id = bench.dispute(first)
    bench.look_at_disputes()
    bench.pay("1042")
    decide(bench, dispute_id, "winning_evidence")
    bench.look_at_disputes()
    return the_credit(bench)


def the_credit(bench: Bench) -> Credit:
    """Return the one credit as it is now."""
    with bench.acme():
        return Credit.objects.select_related("payment").get()


def apply(bench: Bench, number: str, seen: int = 41250) -> int:
    """Apply the one credit to an invoice."""
    with bench.acme():
        return apply_credit(
            credit_id=Credit.objects.get().pk,
            invoice_id=Invoice.objects.get(number=number).pk,
            seen_cents=seen,
            by=OLIVE,
            now=later(),
        )


def test_a_credit_pays_an_invoice_as_far_as_both_go(bench: Bench) -> None:
    """Allocation, journal, counters and audit together; the rest stays credit."""
    make_credit(bench)
    assert apply(bench, "1043") == 12900
    assert bench.invoice("1043").status == "paid"
    credit = the_credit(bench)
    assert credit.remaining_cents == 41250 - 12900
    assert credit.payment
    assert credit.payment.allocated_cents == 12900
    with bench.acme():
        legs = Journal.objects.filter(kind="credit_applied").values_list("account", "delta_cents", "invoice__number")
        assert sorted(legs, key=repr) == [("credit", 12900, None), ("receivable", -12900, "1043")]
        assert AuditEvent.objects.get(action="credit.applied").actor_label == "Olive Owens"


def test_two_clicks_apply_once(bench: Bench) -> None:
    """The second click saw a credit that is no more."""
    make_credit(bench)
    results = in_parallel(4, lambda: apply(bench, "1043"))
    assert sorted(repr(type(r)) for r in results).count("<class 'int'>") == 1
    assert all(isinstance(r, int | errors.PaymentRefused) for r in results)
    assert bench.invoice("1043").paid_cents == 12900


def test_a_credit_pays_no_other_customers_invoice(bench: Bench) -> None:
    make_credit(bench)
    with pytest.raises(errors.NotPayable):
        apply(bench, "1044")
    with pytest.raises(errors.NotPayable):
        apply(bench, "1042")
    assert the_credit(bench).remaining_cents == 41250


def test_what_a_running_payment_holds_is_not_paid_out_of_credit(bench: Bench) -> None:
    """datamodel.md 7.2: reserved money is not claimed twice."""
    make_credit(bench)
    bench.pay("1043", method="pm_card_threeDSecure2Required")
    with pytest.raises(errors.NotPayable):
        apply(bench, "1043")


def test_an_applied_credit_can_be_disputed_and_reopens_its_invoice(bench: Bench) -> None:
    """The credit is a part of its payment: what the bank takes back later is taken from where it went."""
    credit = make_credit(bench)
    apply(bench, "1043")
    assert credit.payment
    bench.dispute(credit.payment)
    bench.look_at_disputes()
    assert bench.invoice("1043").status == "open"
    assert the_credit(bench).remaining_cents == 0


def test_the_office_applies_and_refunds_in_one_click(bench: Bench) -> None:
    make_credit(bench)
    credit = the_credit(bench)
    browser = office(bench)
    assert "1 credit" in browser.get("/office/payments/received").content.decode()
    assert "Alice Archer" in browser.get("/office/payments/credits").content.decode()
    url = f"/office/payments/credits/{credit.pk}"
    html = browser.get(url).content.decode()
    assert "Apply $129.00" in html
    invoice = bench.invoice("1043")
    answer = browser.post(f"{url}/apply", {"seen_cents": "41250", "invoice": str(invoice.pk)})
    assert answer["Location"] == url
    html = browser.get(url).content.decode()
    assert "Refund $283.50" in html
    (form_key,) = set(re.findall(r'name="form_key" value="([^"]+)"', html))
    for _ in range(2):
        browser.post(f"{url}/refund", {"seen_cents": "28350", "form_key": form_key})
    assert "This credit is used up" in browser.get(url).content.decode()
    assert [(r.amount_cents, r.state) for r in bench.refunds()] == [(28350, "succeeded")]
    assert the_credit(bench).remaining_cents == 0


@pytest.mark.parametrize("seen", ["", "-1", "abc", "28350", "9" * 30])
def test_a_stale_or_forged_page_changes_nothing(bench: Bench, seen: str) -> None:
    make_credit(bench)
    credit, browser = the_credit(bench), office(bench)
    url = f"/office/payments/credits/{credit.pk}"
    invoice = bench.invoice("1043")
    browser.post(f"{url}/apply", {"seen_cents": seen, "invoice": str(invoice.pk)})
    browser.post(f"{url}/refund", {"seen_cents": seen, "form_key": str(invoice.pk)})
    assert the_credit(bench).remaining_cents == 41250
    assert bench.refunds() == []


def test_customer_service_sees_but_does_not_move_credit(bench: Bench) -> None:
    """PAY-16."""
    make_credit(bench)
    browser, url = office(bench, "csr"), f"/office/payments/credits/{the_credit(bench).pk}"
    assert "Apply $" not in browser.get(url).content.decode()
    assert browser.post(f"{url}/apply", {}).status_code == 403
    assert browser.post(f"{url}/refund", {}).status_code == 403


def test_the_customer_sees_the_credit(bench: Bench) -> None:
    make_credit(bench)
    browser = bench.browser()
    assert "You have $412.50 credit" in browser.get("/invoices/").content.decode()
    assert "credit" not in bench.browser("bob@example.com").get("/invoices/").content.decode()
    apply(bench, "1043")
    html = browser.get(f"/invoices/{bench.invoice('1043').pk}").content.decode()
    assert "From your credit" in html
