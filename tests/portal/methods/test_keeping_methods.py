"""Cards and bank accounts on file: kept once, found again, replaced, removed, followed (CARD-01…09, PAY-20)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core import mail

from infra.stripe_client import tenant_stripe
from portal.customers.models import Customer
from portal.methods import errors
from portal.methods.services import changing
from portal.methods.services.adding import settle_method
from portal.payments.errors import TooManyDeclines
from portal.payments.models import PaymentMethod
from tenants.audit import Actor
from tests.parallel import in_parallel
from tests.portal.payments.bench import Bench, later

from .keeping import at_stripe, choose, keep, methods

State = PaymentMethod.State
SETUPS = "^/v1/setup_intents$"
ALICE = Actor("customer", None, "Alice Archer")


def alice(bench: Bench) -> Customer:
    with bench.acme():
        return Customer.objects.get(number="C-1001")


def remove(bench: Bench, row: PaymentMethod) -> None:
    with bench.acme():
        changing.remove_method(customer_id=row.bill_to_id, method_id=row.pk, by=ALICE, now=later())


def test_the_first_card_is_kept_and_is_the_default(bench: Bench) -> None:
    """CARD-01, PAY-01: brand, last four digits and expiry are all that is known here."""
    row = keep(bench).row
    assert (row.state, row.brand, row.last4, row.is_default) == (State.ACTIVE, "visa", "4242", True)
    assert (row.exp_month, row.exp_year) == (12, 2034)
    assert at_stripe(bench) == ["4242"]
    assert not keep(bench, "pm_card_mastercard").row.is_default
    assert bench.control("state")["violations"] == []


def test_eight_submits_of_one_form_keep_one_card(bench: Bench) -> None:
    """F5: one row, one SetupIntent, one method."""
    form_key, token = uuid4(), bench.token()
    in_parallel(8, lambda: keep(bench, form_key=form_key, token=token))
    assert len(methods(bench)) == 1
    assert len(bench.requests_to("/v1/setup_intents")) == 1
    assert at_stripe(bench) == ["4242"]


@pytest.mark.parametrize("kind", ["timeout_after", "500_after", "503"])
def test_a_lost_answer_is_asked_for_again(bench: Bench, kind: str) -> None:
    """F1, F3: the same key replays what was carried out."""
    bench.break_api(kind, path=SETUPS, times=3, seconds=0.01)
    row = keep(bench).row
    assert row.state == State.ADDING
    with bench.acme() as context:
        assert settle_method(context=context, method_id=row.pk, now=later()).row.state == State.ACTIVE
    assert at_stripe(bench) == ["4242"]


def test_a_declined_card_is_not_kept(bench: Bench) -> None:
    row = keep(bench, "pm_card_chargeDeclinedInsufficientFunds").row
    assert (row.state, row.decline_code) == (State.FAILED, "insufficient_funds")
    assert at_stripe(bench) == []


def test_after_six_declines_the_next_card_has_to_wait(bench: Bench) -> None:
    """PAY-19: the page that keeps cards is no place to try them out, nor is it together with the pay page."""
    for _ in range(3):
        keep(bench, "pm_card_chargeDeclined")
        bench.pay("1042", method="pm_card_chargeDeclined")
    with pytest.raises(errors.TooManyDeclines):
        keep(bench)
    with pytest.raises(TooManyDeclines):
        bench.pay("1042")
    assert keep(bench, now=later(minutes=11)).row.state == State.ACTIVE


def test_five_declines_are_borne(bench: Bench) -> None:
    """PAY-19, at the border."""
    for _ in range(5):
        keep(bench, "pm_card_chargeDeclined")
    assert keep(bench).row.state == State.ACTIVE


def test_the_bank_wants_to_be_asked_first(bench: Bench) -> None:
    added = keep(bench, "pm_card_threeDSecure2Required")
    assert added.row.state == State.ADDING
    assert added.client_secret.startswith(f"{added.row.stripe_si_id}_secret_")
    answer_bank(bench, added.row, passed=True)
    with bench.acme() as context:
        assert settle_method(context=context, method_id=added.row.pk, now=later()).row.state == State.ACTIVE


def test_whoever_fails_at_the_bank_keeps_nothing(bench: Bench) -> None:
    added = keep(bench, "pm_card_threeDSecure2Required")
    answer_bank(bench, added.row, passed=False)
    with bench.acme() as context:
        row = settle_method(context=context, method_id=added.row.pk, now=later()).row
    assert (row.state, row.failure_code) == (State.FAILED, "setup_intent_authentication_failure")


def answer_bank(bench: Bench, row: PaymentMethod, *, passed: bool) -> None:
    from infra.stripe_double.setups import finish_setup_authentication

    with bench.running.double.lock:
        scope = bench.running.double.scope(bench.account)
        finish_setup_authentication(scope, scope.find("setup_intent", str(row.stripe_si_id)), passed=passed)


def test_what_nobody_finishes_ends(bench: Bench) -> None:
    """F14: canceled at Stripe first, then here."""
    row = keep(bench, "pm_card_threeDSecure2Required").row
    with bench.acme() as context:
        changing.resume_methods(context=context, now=later(hours=24))
    (row,) = methods(bench)
    assert (row.state, row.failure_code) == (State.FAILED, "expired")
    setup = tenant_stripe(bench.account).v1.setup_intents.retrieve(str(row.stripe_si_id))
    assert setup.status == "canceled"


def test_a_bank_account_may_have_to_be_verified(bench: Bench) -> None:
    """CARD-07: it stands on the page and cannot pay before the deposits are confirmed."""
    row = keep(bench, "pm_usBankAccount_microdeposits").row
    assert (row.state, row.kind, row.last4) == (State.VERIFYING, "us_bank_account", "9991")
    assert "/pages/verify/" in row.verify_url
    assert not row.is_usable
    from infra.stripe_double.setups import verify_bank

    with bench.running.double.lock:
        scope = bench.running.double.scope(bench.account)
        verify_bank(scope, scope.find("setup_intent", str(row.stripe_si_id)))
    with bench.acme() as context:
        changing.look_at_setup(context=context, intent_id=str(row.stripe_si_id), now=later())
    (row,) = methods(bench)
    assert (row.state, row.verify_url, row.is_default) == (State.ACTIVE, "", True)


def test_replacing_moves_the_default_and_removes_the_old(bench: Bench) -> None:
    """CARD-02: in one step."""
    old = keep(bench).row
    new = keep(bench, "pm_card_mastercard", replaces=old.pk).row
    assert new.is_default
    bench.deliver_mail()
    assert [(row.state, row.is_default) for row in methods(bench)] == [(State.DETACHED, False), (State.ACTIVE, True)]
    assert at_stripe(bench) == ["4444"]


def test_the_same_card_added_again_is_one_card(bench: Bench) -> None:
    keep(bench)
    keep(bench)
    bench.deliver_mail()
    assert [row.state for row in methods(bench)] == [State.DETACHED, State.ACTIVE]
    assert at_stripe(bench) == ["4242"]


def test_a_removed_card_is_gone_here_at_once_and_at_stripe_right_after(bench: Bench) -> None:
    """CARD-03: also while Stripe does not answer; the next newest becomes the default."""
    old = keep(bench).row
    keep(bench, "pm_card_mastercard")
    remove(bench, old)
    assert [(row.state, row.is_default) for row in methods(bench)] == [(State.DETACHED, False), (State.ACTIVE, True)]
    bench.break_api("503", path="^/v1/payment_methods/.*/detach$", times=3)
    bench.deliver_mail()
    assert at_stripe(bench) == ["4242", "4444"]
    with bench.acme() as context:
        assert changing.forget_at_stripe(context=context, method_id=old.pk, now=later())
    assert at_stripe(bench) == ["4444"]


def test_a_method_of_somebody_else_is_never_detached(bench: Bench) -> None:
    """PAY-20: Stripe is asked whose it is; a row that names a stranger's method does him no harm."""
    keep(bench, "pm_card_amex", user="bob@example.com")
    row = keep(bench).row
    (bobs,) = methods(bench, bill_to__number="C-1002")
    with bench.acme():
        PaymentMethod.objects.filter(pk=bobs.pk).update(stripe_pm_id="pm_elsewhere")
        PaymentMethod.objects.filter(pk=row.pk).update(stripe_pm_id=bobs.stripe_pm_id)
    remove(bench, row)
    bench.deliver_mail()
    assert at_stripe(bench, "C-1002") == ["0005"]


def test_nobody_removes_or_replaces_a_card_of_another_customer(bench: Bench) -> None:
    """AUZ-02, PAY-20."""
    bobs = keep(bench, user="bob@example.com").row
    with bench.acme(), pytest.raises(errors.UnknownMethod):
        changing.remove_method(customer_id=alice(bench).pk, method_id=bobs.pk, by=ALICE, now=later())
    with pytest.raises(errors.UnknownMethod):
        keep(bench, replaces=bobs.pk)
    assert [row.state for row in methods(bench)] == [State.ACTIVE]


def test_what_stripe_has_detached_is_off_file(bench: Bench) -> None:
    row = keep(bench).row
    tenant_stripe(bench.account).v1.payment_methods.detach(str(row.stripe_pm_id))
    with bench.acme() as context:
        for _ in range(2):
            changing.look_at_method(
                context=context, account_id=bench.account, method_id=str(row.stripe_pm_id), now=later()
            )
    assert [row.state for row in methods(bench)] == [State.DETACHED]


def test_a_card_that_its_bank_renews_keeps_its_row(bench: Bench) -> None:
    row = keep(bench).row
    double = bench.running.double
    with double.lock:
        double.scope(bench.account).find("payment_method", str(row.stripe_pm_id))["card"]["exp_year"] = 2039
    with bench.acme() as context:
        changing.look_at_method(context=context, account_id=bench.account, method_id=str(row.stripe_pm_id), now=later())
    assert [row.exp_year for row in methods(bench)] == [2039]


def test_customer_and_office_are_told_of_every_change_once(bench: Bench) -> None:
    """CARD-06: brand and last four digits, never more."""
    old = keep(bench).row
    new = keep(bench, "pm_card_mastercard", replaces=old.pk).row
    remove(bench, new)
    for _ in range(2):
        bench.deliver_mail()
    told = [(m.to[0], m.subject) for m in mail.outbox]
    assert [subject for to, subject in told if to == "olive@acme.example"] == [
        "Alice Archer put Visa ending 4242 on file",
        "Alice Archer replaced a payment method with Mastercard ending 4444",
        "Alice Archer removed Mastercard ending 4444",
    ]
    assert len([to for to, _ in told if to == "alice@example.com"]) == 3
    assert not any("4242424242424242" in str(m.body) for m in mail.outbox)


def test_the_company_names_who_is_told(bench: Bench) -> None:
    """CARD-06: notify.card_changes."""
    choose(bench, notify__card_changes="books@acme.example; boss@acme.example")
    keep(bench)
    bench.deliver_mail()
    told = {m.to[0] for m in mail.outbox}
    assert told == {"books@acme.example", "boss@acme.example", "alice@example.com"}
