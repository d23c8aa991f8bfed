"""The page of autopay: set up, see what comes, skip, pause, end (P-12)."""

from __future__ import annotations

import pytest

from portal.autopay.services import charging, turning_on
from portal.invoices.models import Invoice
from portal.payments.ledger import PAYABLE
from portal.payments.models import AutopayCharge, AutopayMandate, PaymentMethod
from tenants.schema.models import OutboxEvent
from tests.portal.methods.keeping import choose, keep
from tests.portal.methods.test_method_pages import office as office_browser
from tests.portal.payments.bench import Bench, later

PAGE = "/pay/autopay/"
OFFICE = "/office/payments/autopay"


def test_a_customer_sets_up_sees_skips_pauses_and_ends(bench: Bench) -> None:
    browser = bench.browser()
    assert "Invoices that pay themselves" in browser.get(PAGE).content.decode()
    assert browser.get(f"{PAGE}set-up")["Location"] == "/pay/methods/add"
    row = keep(bench).row
    html = browser.get(f"{PAGE}set-up").content.decode()
    assert "I allow Acme Heating &amp; Air to charge the invoices chosen here" in html
    terms = {"method": str(row.pk), "fallback": "", "cap": "500.00", "notice": "5"}
    assert browser.post(f"{PAGE}set-up", terms).status_code == 422
    assert browser.post(f"{PAGE}set-up", {**terms, "agrees": "on", "fallback": str(row.pk)}).status_code == 422
    assert browser.post(f"{PAGE}set-up", {**terms, "agrees": "on"}).status_code == 303
    with bench.acme() as context:
        mandate = AutopayMandate.objects.get()
        assert (mandate.cap_cents, mandate.notice_days, mandate.authorised_by.email) == (50000, 5, "alice@example.com")
        charging.run_autopay(context=context, now=later())
        charges = {charge.invoice.number: charge for charge in AutopayCharge.objects.select_related("invoice")}
    html = browser.get(PAGE).content.decode()
    assert "Visa ending 4242" in html
    assert "Invoice 1042" in html
    assert "$412.50" in html
    browser.post(f"{PAGE}skip/{charges['1042'].pk}")
    assert "Skipped" in browser.get(PAGE).content.decode()
    for do, state in (("pause", "paused"), ("resume", "active"), ("revoke", "revoked")):
        browser.post(f"{PAGE}{mandate.pk}/change", {"do": do})
        with bench.acme():
            assert AutopayMandate.objects.get().state == state
    assert browser.post(f"{PAGE}{mandate.pk}/change", {"do": "pause"}).status_code == 404


def test_what_comes_is_planned_as_soon_as_autopay_is_on(bench: Bench) -> None:
    """Nobody who turned it on, or on again, reads that nothing is planned until a background run has looked."""
    terms = {"method": str(keep(bench).row.pk), "fallback": "", "cap": "500.00", "notice": "5", "agrees": "on"}
    browser, staff = bench.browser(), office_browser(bench)
    assert "Invoice 1042" in browser.post(f"{PAGE}set-up", terms, follow=True).content.decode()
    with bench.acme():
        mandate = AutopayMandate.objects.get()
        told = OutboxEvent.objects.filter(type=charging.ANNOUNCED).count()
        assert told == AutopayCharge.objects.count() == 2
    for door, off, on in (
        (f"{PAGE}{mandate.pk}/change", "pause", "resume"),
        (f"{OFFICE}/{mandate.pk}/change", "hold", "release"),
    ):
        who = browser if on == "resume" else staff
        who.post(door, {"do": off})
        with bench.acme():
            AutopayCharge.objects.all().delete()
        assert "Invoice 1042" not in browser.get(PAGE).content.decode()
        who.post(door, {"do": on})
        html = browser.get(PAGE).content.decode()
        assert "Invoice 1042" in html
        assert "Nothing is planned" not in html


def test_who_has_very_many_open_invoices_does_not_wait_for_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page plans the earliest; the next run plans the rest."""
    monkeypatch.setattr(turning_on, "AT_ONCE", 1)
    terms = {"method": str(keep(bench).row.pk), "fallback": "", "cap": "500.00", "notice": "5", "agrees": "on"}
    bench.browser().post(f"{PAGE}set-up", terms)
    with bench.acme() as context:
        first = AutopayCharge.objects.select_related("invoice").get()
        open_ones = Invoice.objects.filter(bill_to=first.mandate.bill_to_id, status__in=PAYABLE)
        assert first.invoice.due_on == min(invoice.due_on for invoice in open_ones)
        charging.run_autopay(context=context, now=later())
        assert AutopayCharge.objects.count() == 2


def test_a_card_whose_month_is_over_is_no_choice(bench: Bench) -> None:
    """Its bank may still take it where autopay is on already; nobody is led to choose it anew."""
    old, new = keep(bench).row, keep(bench).row
    with bench.acme():
        PaymentMethod.objects.filter(pk=old.pk).update(exp_year=2020, exp_month=1)
    browser = bench.browser()
    html = browser.get(f"{PAGE}set-up").content.decode()
    assert str(new.pk) in html
    assert str(old.pk) not in html
    terms = {"method": str(old.pk), "fallback": "", "cap": "500.00", "notice": "5", "agrees": "on"}
    assert browser.post(f"{PAGE}set-up", terms).status_code == 422
    with bench.acme():
        PaymentMethod.objects.filter(pk=new.pk).update(exp_year=2020, exp_month=1)
    assert browser.get(f"{PAGE}set-up")["Location"] == "/pay/methods/add"


def test_nobody_touches_the_autopay_of_another_customer(bench: Bench) -> None:
    """AUZ-02."""
    row = keep(bench).row
    browser = bench.browser()
    terms = {"method": str(row.pk), "fallback": "", "cap": "500.00", "notice": "5", "agrees": "on"}
    browser.post(f"{PAGE}set-up", terms)
    with bench.acme() as context:
        charging.run_autopay(context=context, now=later())
        charge = AutopayCharge.objects.first()
    assert charge
    bob = bench.browser("bob@example.com")
    assert bob.post(f"{PAGE}skip/{charge.pk}").status_code == 404
    for do in ("pause", "revoke"):
        assert bob.post(f"{PAGE}{charge.mandate_id}/change", {"do": do}).status_code == 404
    assert bob.get(f"{PAGE}{charge.mandate_id}/permission.pdf").status_code == 404
    assert bob.get(f"{PAGE}{charge.mandate_id}/terms").status_code == 404
    assert bob.post(f"{PAGE}set-up", terms)["Location"] == "/pay/methods/add"


def test_a_company_that_does_not_offer_autopay_hides_it(bench: Bench) -> None:
    choose(bench, autopay__offered=False)
    browser = bench.browser()
    assert browser.get(PAGE).status_code == 404
    assert browser.get(f"{PAGE}set-up").status_code == 404
    assert "Autopay" not in browser.get("/pay/methods/").content.decode()
