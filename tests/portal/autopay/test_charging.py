"""Autopay charges what it may, once per try, and hands over what it cannot (datamodel.md 4.15, 7.7, X-10)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from portal.autopay.services import charging
from portal.payments.models import Payment, PaymentAttempt
from portal.payments.services.settle import settle_attempt
from tests.conftest import HostClient
from tests.parallel import in_parallel
from tests.portal.autopay.allowing import NOTICE, Charge, State, allow, charge_of, mails, run
from tests.portal.methods.keeping import keep, methods
from tests.portal.methods.test_method_pages import office
from tests.portal.payments.bench import Bench, later


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
