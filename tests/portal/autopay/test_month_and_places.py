"""The limit of the month, and permissions for single addresses (X-10, PAY-20, beyond.md 8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError
from django.utils import timezone

from infra.ids import uuid7
from portal.autopay import errors
from portal.autopay.services import mandates
from portal.autopay.services.limits import is_over
from portal.customers.models import Customer, Location
from portal.invoices.models import Invoice
from portal.payments.models import AutopayCharge, AutopayMandate
from tenants.schema.models import AuditEvent
from tests.portal.autopay.allowing import ALICE, NOTICE, Charge, allow, mails, run
from tests.portal.methods.keeping import methods
from tests.portal.payments.bench import Bench, later


def charges(bench: Bench) -> dict[str, str]:
    """Return the state of each invoice under a living permission."""
    with bench.acme():
        rows = AutopayCharge.objects.exclude(mandate__state="revoked")
        return dict(rows.values_list("invoice__number", "state"))


def make_due_together(bench: Bench) -> None:
    """Have both of Alice's invoices come due on one day, so that they fall into one month whatever the day is."""
    with bench.acme():
        Invoice.objects.filter(number__in=["1042", "1043"]).update(due_on=later(days=-1).date())


def add_place(bench: Bench, street: str, *numbers: str) -> Location:
    """Give Alice another address with some of her invoices."""
    now = timezone.now()
    with bench.acme():
        place = Location.objects.create(
            customer=Customer.objects.get(number="C-1001"), street=street, city="Austin", created_at=now, updated_at=now
        )
        Invoice.objects.filter(number__in=numbers).update(location=place)
    return place


def test_a_month_above_its_limit_waits_for_the_customer(bench: Bench) -> None:
    """Money 7.7: $412.50 fits a month of $500, $129.00 with it does not; the letter says which limit it was."""
    make_due_together(bench)
    allow(bench, cap=45_000, month_cap=50_000, voids=False)
    run(bench)
    assert charges(bench) == {"1042": Charge.ANNOUNCED, "1043": Charge.OVER_CAP}
    run(bench, NOTICE + 1)
    assert bench.charged() == 41250
    assert "Invoice 1043 over $129.00 waits for you" in mails(bench)
    (told,) = [m for m in mail.outbox if "waits for you" in str(m.subject)]
    assert "your limit of $500.00" in " ".join(str(told.body).split())


def test_without_a_limit_of_the_month_both_are_charged(bench: Bench) -> None:
    make_due_together(bench)
    allow(bench, cap=45_000, voids=False)
    run(bench)
    run(bench, NOTICE + 1)
    assert bench.charged() == 41250 + 12900


def test_what_was_announced_is_held_to_the_month_when_its_day_comes(bench: Bench) -> None:
    """Money 7.7: the day of the charge decides, under lock; two announced for two months may fall into one."""
    make_due_together(bench)
    allow(bench, cap=45_000, month_cap=50_000, voids=False)
    run(bench)
    with bench.acme():
        AutopayCharge.objects.filter(invoice__number="1043").update(
            state=Charge.ANNOUNCED, planned_on=later(days=NOTICE + 1).date()
        )
        AutopayCharge.objects.filter(invoice__number="1042").update(
            state=Charge.CHARGED, taken_on=later(days=NOTICE + 1).date()
        )
    run(bench, NOTICE + 1)
    assert charges(bench)["1043"] == Charge.OVER_CAP
    assert bench.charged() == 0


def test_a_changed_permission_does_not_begin_the_month_anew(bench: Bench) -> None:
    """Money 7.7: what was taken in this month under the old one counts."""
    make_due_together(bench)
    mandate = allow(bench, cap=45_000, month_cap=50_000, voids=False)
    run(bench)
    run(bench, NOTICE + 1)
    allow(bench, row=methods(bench)[0], cap=45_000, month_cap=50_000, voids=False)
    with bench.acme():
        taken = AutopayCharge.objects.get(mandate=mandate, state=Charge.CHARGED).taken_on
    assert taken
    with bench.acme():
        living = AutopayMandate.objects.get(state="active")
        assert is_over(living, 12900, taken)
        assert not is_over(living, 50_000 - 41250, taken)
        assert not is_over(living, 12900, taken + timedelta(days=40))


def test_each_address_has_its_own_permission(bench: Bench) -> None:
    """PAY-20: what is for one address charges nothing of another."""
    lake = add_place(bench, "1 Lake Road", "1042")
    mandate = allow(bench, location=lake.pk, voids=False)
    assert mandate.agreed["place"] == "1 Lake Road, Austin"
    run(bench)
    assert charges(bench) == {"1042": Charge.ANNOUNCED}
    run(bench, NOTICE + 1)
    assert bench.charged() == 41250


def test_an_invoice_that_moved_to_another_address_is_not_charged(bench: Bench) -> None:
    """Money 7.7."""
    lake = add_place(bench, "1 Lake Road", "1042")
    allow(bench, location=lake.pk)
    run(bench)
    with bench.acme():
        Invoice.objects.filter(number="1042").update(location=None)
    run(bench, NOTICE + 1)
    assert (charges(bench), bench.charged()) == ({"1042": Charge.SKIPPED}, 0)


def test_everything_and_one_address_never_stand_side_by_side(bench: Bench) -> None:
    """Money 7.7: nothing is charged by two permissions; allowing everything ends those for single addresses."""
    lake, hill = add_place(bench, "1 Lake Road", "1042"), add_place(bench, "2 Hill Road", "1043")
    first = allow(bench, location=lake.pk)
    card = methods(bench)[0]
    allow(bench, row=card, location=hill.pk)
    everything = allow(bench, row=card)
    with bench.acme():
        assert list(AutopayMandate.objects.exclude(state="revoked")) == [everything]
        assert AuditEvent.objects.filter(action="autopay.replaced", object_id=first.pk).exists()
    with pytest.raises(errors.CoversAll):
        allow(bench, row=card, location=lake.pk)


def test_an_address_of_somebody_else_is_refused(bench: Bench) -> None:
    """AUZ-08."""
    with bench.acme():
        bobs = Location.objects.get(customer__number="C-1002")
    with pytest.raises(errors.UnknownPlace):
        allow(bench, location=bobs.pk)


@pytest.mark.parametrize("place", [None, "lake"])
def test_the_database_keeps_one_living_permission_for_each_place(bench: Bench, place: Any) -> None:
    """PAY-20: whoever forgets the lock is stopped by the constraint."""
    location = add_place(bench, "1 Lake Road").pk if place else None
    mandate = allow(bench, location=location)
    mandate.pk = uuid7()
    with bench.acme(), pytest.raises(IntegrityError):
        mandate.save(force_insert=True)


def test_a_customer_with_two_addresses_chooses_one_and_then_the_other(bench: Bench) -> None:
    """P-12: by the page, with the limit of the month."""
    lake = add_place(bench, "1 Lake Road", "1042")
    allow(bench)
    with bench.acme():
        mandate = AutopayMandate.objects.get()
        mandates.revoke(customer_id=mandate.bill_to_id, mandate_id=mandate.pk, by=ALICE, now=later())
    browser, card = bench.browser(), methods(bench)[0]
    html = browser.get("/pay/autopay/set-up").content.decode()
    for text in ("All invoices", "1 Lake Road, Austin", "12 Elm Street, Austin", "At most in a month"):
        assert text in html
    terms = {"method": str(card.pk), "fallback": "", "cap": "500.00", "notice": "5", "agrees": "on"}
    refused = browser.post("/pay/autopay/set-up", {**terms, "place": str(lake.pk), "month_cap": "499.99"})
    assert refused.status_code == 422
    assert "at least that of one invoice" in refused.content.decode()
    browser.post("/pay/autopay/set-up", {**terms, "place": str(lake.pk), "month_cap": "800.00"})
    html = browser.get("/pay/autopay/").content.decode()
    assert "1 Lake Road, Austin" in html
    assert "$800.00" in html
    assert "Set up another address" in html
    assert "1 Lake Road" not in browser.get("/pay/autopay/set-up").content.decode()
    assert browser.post("/pay/autopay/set-up", {**terms, "place": "all"}).status_code == 303
    assert "Set up another address" not in browser.get("/pay/autopay/").content.decode()
    with bench.acme():
        (living,) = AutopayMandate.objects.exclude(state="revoked")
    assert (living.location_id, living.month_cap_cents) == (None, None)
    browser.post(f"/pay/autopay/{living.pk}/terms", {**terms, "cap": "700.00"})
    with bench.acme():
        (living,) = AutopayMandate.objects.exclude(state="revoked")
    assert (living.location_id, living.cap_cents) == (None, 70_000)


def test_allowing_everything_is_named_also_when_nothing_else_is_left(bench: Bench) -> None:
    """PAY-20: with a permission for each address the only choice left replaces them all; nobody allows it unseen."""
    lake = add_place(bench, "1 Lake Road", "1042")
    with bench.acme():
        elm = Location.objects.get(customer__number="C-1001", street="12 Elm Street")
    allow(bench, location=lake.pk)
    card = methods(bench)[0]
    allow(bench, row=card, location=elm.pk)
    browser = bench.browser()
    assert "All invoices" in browser.get("/pay/autopay/set-up").content.decode()
    terms = {"method": str(card.pk), "fallback": "", "cap": "500.00", "notice": "5", "agrees": "on"}
    assert browser.post("/pay/autopay/set-up", terms).status_code == 422
