"""Autopay charges what it may, once per try, and hands over what it cannot (datamodel.md 4.15, 7.7, X-10)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.utils import timezone

from portal.accounts.models import PortalUser
from portal.autopay import errors
from portal.autopay.services import charging, mandates
from portal.autopay.services.mandates import Terms
from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.methods.errors import StillNeeded
from portal.methods.services.changing import remove_method
from portal.payments.models import AutopayCharge, AutopayMandate, Payment, PaymentAttempt, PaymentMethod
from portal.payments.services.settle import settle_attempt
from tenants.audit import Actor
from tenants.schema.models import OutboxEvent
from tests.conftest import HostClient
from tests.portal.methods.keeping import keep, methods
from tests.portal.methods.test_method_pages import office
from tests.portal.payments.bench import Bench, in_parallel, later

State, Charge = AutopayMandate.State, AutopayCharge.State
ALICE = Actor("customer", None, "Alice Archer", "203.0.113.9")
NOTICE = 5


def allow(
    bench: Bench,
    method: str = "pm_card_visa",
    *,
    row: PaymentMethod | None = None,
    fallback: UUID | None = None,
    cap: int = 100_000,
) -> AutopayMandate:
    """Put a method on file and allow autopay with it; invoice 1042 (overdue, $412.50) is Alice's to be charged."""
    row = row or keep(bench, method).row
    with bench.acme():
        user = PortalUser.objects.get(email="alice@example.com")
        customer = Customer.objects.get(number="C-1001")
        Invoice.objects.filter(number="1043").update(status="void", voided_at=timezone.now())
        return mandates.authorise(
            customer_id=customer.pk,
            portal_user_id=user.pk,
            terms=Terms(row.pk, cap, NOTICE, fallback),
            by=ALICE,
            now=timezone.now(),
        )


def run(bench: Bench, days: float = 0) -> None:
    """Run the job at a later day; its mails do not wait for that day."""
    with bench.acme() as context:
        charging.run_autopay(context=context, now=later(days=days))
        OutboxEvent.objects.filter(state="waiting").update(next_at=later())


def charge_of(bench: Bench) -> AutopayCharge:
    with bench.acme():
        return AutopayCharge.objects.select_related("mandate", "invoice").get()


def mails(bench: Bench, to: str = "alice@example.com") -> list[str]:
    bench.deliver_mail()
    return [str(m.subject) for m in mail.outbox if m.to == [to]]


def test_an_invoice_is_announced_and_charged_after_the_notice(bench: Bench) -> None:
    """Money 7.7: not before the days of notice are over, then once, however often the job runs."""
    allow(bench)
    run(bench)
    charge = charge_of(bench)
    assert (charge.state, charge.amount_cents) == (Charge.ANNOUNCED, 41250)
    assert any(s.startswith("$412.50 will be charged on") for s in mails(bench))
    run(bench, NOTICE - 1)
    assert bench.charged() == 0
    for _ in range(3):
        run(bench, NOTICE + 1)
    assert bench.charged() == 41250
    assert charge_of(bench).state == Charge.CHARGED
    assert bench.invoice().status == "paid"
    (payment,) = bench.payments()
    assert payment.origin == Payment.Origin.AUTOPAY
    assert len([s for s in mails(bench) if s.startswith("Receipt")]) == 1


def test_eight_jobs_at_once_charge_once(bench: Bench) -> None:
    """F-65: one attempt per mandate, invoice and try."""
    allow(bench)
    run(bench)
    in_parallel(8, lambda: run(bench, NOTICE + 1))
    assert len(bench.intents()) == 1
    assert bench.charged() == 41250


@pytest.mark.parametrize("kind", ["timeout_after", "500_after", "503"])
def test_a_lost_answer_is_followed_up_and_charged_once(bench: Bench, kind: str) -> None:
    """F1, F2: the same try carries the same key."""
    allow(bench)
    run(bench)
    bench.break_api(kind, times=3, seconds=0.01)
    run(bench, NOTICE + 1)
    assert charge_of(bench).state == Charge.CHARGING
    with bench.acme() as context:
        for attempt in PaymentAttempt.objects.all():
            settle_attempt(context=context, attempt_id=attempt.pk, now=attempt.created_at + timedelta(minutes=2))
    run(bench, NOTICE + 1)
    assert charge_of(bench).state == Charge.CHARGED
    assert (len(bench.intents()), bench.charged()) == (1, 41250)


def test_killed_between_decision_and_reservation_the_try_is_made_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F2, F-65."""

    def die(**_: Any) -> Any:
        raise SystemExit

    allow(bench)
    run(bench)
    monkeypatch.setattr(charging, "submit_payment", die)
    with pytest.raises(SystemExit):
        run(bench, NOTICE + 1)
    monkeypatch.undo()
    run(bench, NOTICE + 1)
    run(bench, NOTICE + 1)
    assert (charge_of(bench).state, bench.charged()) == (Charge.CHARGED, 41250)


def test_the_bank_that_asks_for_its_customer_gets_them(bench: Bench) -> None:
    """F15: no retry; a mail with a link that leads to the pay page; office told; nothing reserved."""
    allow(bench)
    make_bank_ask(bench)
    run(bench)
    for _ in range(3):
        run(bench, NOTICE + 1)
    run(bench, NOTICE + 30)
    charge = charge_of(bench)
    assert (charge.state, charge.decline_code, charge.tries) == (Charge.NEEDS_CUSTOMER, "authentication_required", 1)
    assert len(bench.intents()) == 1
    assert (bench.charged(), bench.invoice().reserved_cents) == (0, 0)
    assert "Autopay could not charge $412.50" in mails(bench)
    assert mails(bench, "olive@acme.example").count("Autopay of Alice Archer failed: $412.50") == 1
    (told,) = [m for m in mail.outbox if str(m.subject) == "Autopay could not charge $412.50"]
    path = "/" + re.findall(r"http://[^\s]+/l/[^\s]+", str(told.body))[0].split("/", 3)[3]
    stranger = HostClient("acme.portal.localhost")
    stranger.get(path)
    assert stranger.post(path)["Location"] == f"/pay/{bench.invoice().pk}"


def test_a_bank_that_was_asked_when_the_card_was_added_is_not_asked_again(bench: Bench) -> None:
    keep(bench, "pm_card_authenticationRequiredOnSetup")
    pass_setup(bench)
    allow(bench, row=methods(bench)[0])
    run(bench)
    run(bench, NOTICE + 1)
    assert (charge_of(bench).state, bench.charged()) == (Charge.CHARGED, 41250)


def pass_setup(bench: Bench) -> None:
    """Answer the bank once, so that the card is on file."""
    from infra.stripe_double.setups import finish_setup_authentication
    from portal.methods.services.adding import settle_method

    (row,) = methods(bench)
    with bench.running.double.lock:
        scope = bench.running.double.scope(bench.account)
        finish_setup_authentication(scope, scope.find("setup_intent", str(row.stripe_si_id)), passed=True)
    with bench.acme() as context:
        settle_method(context=context, method_id=row.pk, now=later())


def make_bank_ask(bench: Bench) -> None:
    """Have the bank want its customer for every charge from now on."""
    double = bench.running.double
    with double.lock:
        for method in double.store.books[bench.account].kind("payment_method").values():
            method["_behaviour"] = "3ds"


def decline(bench: Bench) -> None:
    """Have the bank decline the card from now on."""
    double = bench.running.double
    with double.lock:
        for method in double.store.books[bench.account].kind("payment_method").values():
            if method["card"] and method["card"]["last4"] == "4242":
                method["_behaviour"] = "decline:insufficient_funds"


def test_what_fails_twice_is_handed_over(bench: Bench) -> None:
    """X-10: told each time, tried again after three days, then paused and left to the office."""
    allow(bench)
    decline(bench)
    run(bench)
    run(bench, NOTICE + 1)
    charge = charge_of(bench)
    assert (charge.state, charge.tries, charge.decline_code) == (Charge.ANNOUNCED, 1, "insufficient_funds")
    run(bench, NOTICE + 3)
    assert charge_of(bench).tries == 1
    run(bench, NOTICE + 5)
    charge = charge_of(bench)
    assert (charge.state, charge.tries) == (Charge.HANDED_OVER, 2)
    assert (charge.mandate.state, charge.mandate.paused_because) == (State.PAUSED, "failed")
    run(bench, NOTICE + 20)
    assert len(bench.intents()) == 2
    assert bench.invoice().reserved_cents == 0
    assert mails(bench).count("Autopay could not charge $412.50") == 2
    assert "Autopay of Alice Archer failed twice: $412.50" in office(bench).get("/office/").content.decode()


def test_the_fallback_is_charged_at_once(bench: Bench) -> None:
    other = keep(bench, "pm_card_mastercard").row
    allow(bench, fallback=other.pk)
    decline(bench)
    run(bench)
    run(bench, NOTICE + 1)
    run(bench, NOTICE + 1.01)
    assert charge_of(bench).state == Charge.CHARGED
    assert bench.payments()[-1].method["last4"] == "4444"


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
        change(customer_id=mandate.bill_to_id, by=ALICE, now=later())
    run(bench, NOTICE + 1)
    assert bench.charged() == 0


def test_resuming_gives_notice_anew(bench: Bench) -> None:
    mandate = allow(bench)
    run(bench)
    with bench.acme():
        mandates.pause(customer_id=mandate.bill_to_id, by=ALICE, now=later())
        mandates.resume(customer_id=mandate.bill_to_id, by=ALICE, now=later())
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
                by=ALICE,
                now=later(),
            )
