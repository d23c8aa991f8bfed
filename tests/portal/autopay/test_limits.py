"""Autopay stays within what its customer allowed: cap, notice, pause, skip, and whose method it is (X-10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from portal.accounts.models import PortalUser
from portal.autopay import errors
from portal.autopay.services import mandates
from portal.autopay.services.mandates import Terms
from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.methods.errors import StillNeeded
from portal.methods.services.changing import remove_method
from portal.payments.models import AutopayCharge, AutopayMandate, PaymentAttempt
from portal.payments.services.settle import settle_attempt
from tests.portal.autopay.allowing import ALICE, CONSENT, NOTICE, Charge, State, allow, charge_of, mails, run
from tests.portal.methods.keeping import keep
from tests.portal.payments.bench import Bench, later


def test_nothing_above_the_cap_is_charged(bench: Bench) -> None:
    """Money 7.7: the customer is told and pays by hand."""
    allow(bench, cap=41249)
    run(bench)
    run(bench, NOTICE + 20)
    assert (charge_of(bench).state, bench.charged()) == (Charge.OVER_CAP, 0)
    assert any("waits for you" in s for s in mails(bench))


def test_an_invoice_raised_after_the_notice_needs_a_new_one(bench: Bench) -> None:
    """Money 7.7: nobody is charged more than was announced."""
    allow(bench)
    run(bench)
    with bench.acme():
        Invoice.objects.filter(number="1042").update(total_cents=50000, subtotal_cents=50000, tax_cents=0)
    run(bench, NOTICE + 1)
    charge = charge_of(bench)
    assert (bench.charged(), charge.amount_cents, charge.state) == (0, 50000, Charge.ANNOUNCED)
    run(bench, NOTICE + 1 + NOTICE)
    assert bench.charged() == 50000


def test_an_invoice_with_a_payment_under_way_is_left_alone(bench: Bench) -> None:
    """Money 7.7: a bank debit on its way, or paid by hand meanwhile."""
    allow(bench)
    run(bench)
    bench.pay("1042", method="pm_usBankAccount_success")
    run(bench, NOTICE + 1)
    assert (len(bench.intents()), charge_of(bench).state) == (1, Charge.ANNOUNCED)
    bench.control("advance", days=4)
    with bench.acme() as context:
        for attempt in PaymentAttempt.objects.all():
            settle_attempt(context=context, attempt_id=attempt.pk, now=later())
    run(bench, NOTICE + 5)
    assert (len(bench.intents()), charge_of(bench).state) == (1, Charge.PAID_OTHERWISE)


@pytest.mark.parametrize("change", [mandates.pause, mandates.revoke])
def test_paused_or_revoked_nothing_is_charged(bench: Bench, change: Any) -> None:
    """Money 7.7, PAY-20."""
    mandate = allow(bench)
    run(bench)
    with bench.acme():
        change(customer_id=mandate.bill_to_id, mandate_id=mandate.pk, by=ALICE, now=later())
    run(bench, NOTICE + 1)
    assert bench.charged() == 0


def test_resuming_gives_notice_anew(bench: Bench) -> None:
    mandate = allow(bench)
    run(bench)
    with bench.acme():
        mandates.pause(customer_id=mandate.bill_to_id, mandate_id=mandate.pk, by=ALICE, now=later())
        mandates.resume(customer_id=mandate.bill_to_id, mandate_id=mandate.pk, by=ALICE, now=later())
    run(bench, NOTICE + 1)
    assert bench.charged() == 0
    run(bench, 2 * NOTICE + 2)
    assert bench.charged() == 41250


def skip(bench: Bench, now: datetime) -> AutopayCharge:
    charge = charge_of(bench)
    with bench.acme() as context:
        return mandates.skip_charge(
            customer_id=charge.mandate.bill_to_id,
            charge_id=charge.pk,
            today=now.astimezone(context.tenant.zone).date(),
            by=ALICE,
            now=now,
        )


def test_a_charge_is_skipped_once_and_for_all(bench: Bench) -> None:
    allow(bench)
    run(bench)
    skip(bench, later())
    run(bench, NOTICE + 20)
    assert (bench.charged(), charge_of(bench).state) == (0, Charge.SKIPPED)


def test_on_its_day_a_charge_cannot_be_skipped_any_more(bench: Bench) -> None:
    allow(bench)
    run(bench)
    with pytest.raises(errors.TooLate):
        skip(bench, later(days=NOTICE))


def test_a_method_that_autopay_needs_is_not_removed(bench: Bench) -> None:
    """CARD-03: refused with an explanation; replacing moves autopay along."""
    mandate = allow(bench)
    with bench.acme(), pytest.raises(StillNeeded):
        remove_method(customer_id=mandate.bill_to_id, method_id=mandate.method_id, by=ALICE, now=later())
    html = bench.browser().post(f"/pay/methods/{mandate.method_id}/remove", follow=True).content.decode()
    assert "Autopay charges it" in html
    new = keep(bench, "pm_card_mastercard", replaces=mandate.method_id).row
    with bench.acme():
        assert AutopayMandate.objects.get().method_id == new.pk
    run(bench)
    run(bench, NOTICE + 1)
    assert bench.payments()[-1].method["last4"] == "4444"


def test_a_bank_account_taken_back_pauses_autopay(bench: Bench) -> None:
    """F17: mandate invalid, autopay paused, customer told; nothing is tried with it again."""
    allow(bench, "pm_usBankAccount_dispute")
    run(bench)
    run(bench, NOTICE + 1)
    assert charge_of(bench).state == Charge.CHARGING
    bench.control("advance", days=4)
    with bench.acme() as context:
        for attempt in PaymentAttempt.objects.all():
            settle_attempt(context=context, attempt_id=attempt.pk, now=later())
    run(bench, NOTICE + 5)
    assert charge_of(bench).state == Charge.CHARGED
    bench.control("advance", days=2)
    bench.look_at_disputes()
    with bench.acme():
        mandate = AutopayMandate.objects.get()
    assert (mandate.state, mandate.paused_because) == (State.PAUSED, "method")
    run(bench, NOTICE + 30)
    assert len(bench.intents()) == 1
    assert any("Autopay is paused" in s for s in mails(bench))


def test_autopay_of_somebody_elses_card_is_refused(bench: Bench) -> None:
    """PAY-20."""
    bobs = keep(bench, user="bob@example.com").row
    with bench.acme():
        user = PortalUser.objects.get(email="alice@example.com")
        customer = Customer.objects.get(number="C-1001")
        with pytest.raises(errors.UnusableMethod):
            mandates.authorise(
                customer_id=customer.pk,
                portal_user_id=user.pk,
                terms=Terms(bobs.pk, 100_000, NOTICE),
                consent=CONSENT,
                by=ALICE,
                now=later(),
            )
