"""The nightly comparison with Stripe, both ways, and what is kept of it until somebody has settled it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from infra.stripe_client import tenant_stripe
from infra.stripe_double.ledger import new_transaction
from portal.invoices.models import Invoice
from portal.payments import errors
from portal.payments.models import Dispute, Payment, PaymentAttempt
from portal.payments.services.reconcile import Difference, open_differences, settle_difference
from portal.payments.services.settle import resume_attempts
from tenants.audit import Actor
from tenants.models import PaymentAccount, PlatformAuditEvent
from tenants.scope import control_scope
from tests.cast import ACME
from webhooks.services.pull import pull_all_events
from webhooks.services.reconcile import due_accounts, reconcile_account, reconcile_all

from .bench import Bench, later
from .test_office_refunds import office

OLIVE = Actor("staff", None, "Olive Owens")
EVERYTHING = "^/v[12]/"


def compare(bench: Bench, *, minutes: int = 30) -> list[Difference]:
    """Run one night's comparison of Acme, some minutes from now: what is fresh may still be on its way."""
    since = timezone.now() - timedelta(days=1)
    return reconcile_account(tenant_id=ACME, account_id=bench.account, since=since, now=later(minutes=minutes))


def everything_happens(bench: Bench) -> None:
    """Payments, refunds, a failed refund, disputes lost and won: every kind of movement there is."""
    bench.pay("1042", method="pm_card_refundFail")
    (first,) = bench.payments()
    bench.refund(10000, payment=first)
    bench.control("advance", days=4)
    with bench.acme() as context:
        from portal.payments.services.refunds import adopt_refunds

        adopt_refunds(context=context, intent_id=str(first.stripe_pi_id), now=later())
    bench.refund(5000, payment=first, keeps_paid=True)
    bench.pay("1043")
    dispute_id = bench.dispute(bench.payments()[1])
    bench.look_at_disputes()
    params: Any = {"evidence": {"uncategorized_text": "winning_evidence"}}
    tenant_stripe(bench.account).v1.disputes.update(dispute_id, params)
    bench.look_at_disputes()
    bench.dispute(bench.payments()[1], status="lost", amount=2000)
    bench.look_at_disputes()


def test_books_that_agree_differ_in_nothing(bench: Bench) -> None:
    """PAY-14: every kind of movement is found on both sides, amounts and fees to the cent."""
    everything_happens(bench)
    assert compare(bench) == []


def test_money_that_only_stripe_knows_is_a_task(bench: Bench) -> None:
    """R3: charged by hand in the dashboard; nobody guesses, somebody is asked."""
    params: Any = {"amount": 5_000, "currency": "usd", "confirm": True, "return_url": "http://x.example"}
    params["confirmation_token"] = bench.token()
    tenant_stripe(bench.account).v1.payment_intents.create(params)
    (found,) = compare(bench)
    assert (found.kind, found.stripe_cents) == ("unknown_here", 5_000)


def test_money_that_only_the_books_know_is_a_task(bench: Bench) -> None:
    """R3, the other way."""
    bench.pay("1042")
    double = bench.running.double
    with double.lock:
        kept = dict(double.scope(bench.account).book.kind("balance_transaction"))
        double.scope(bench.account).book.kind("balance_transaction").clear()
    assert {each.kind for each in compare(bench)} == {"unknown_there"}
    with double.lock:
        double.scope(bench.account).book.kind("balance_transaction").update(kept)
    assert compare(bench) == []
    with bench.acme():
        assert open_differences() == []


@pytest.mark.parametrize(("field", "kind"), [("amount", "amount"), ("fee", "fee")])
def test_a_cent_of_difference_is_found(bench: Bench, field: str, kind: str) -> None:
    """PAY-14: to the cent."""
    bench.pay("1042")
    double = bench.running.double
    with double.lock:
        (txn,) = double.scope(bench.account).book.kind("balance_transaction").values()
        txn[field] += 1
    assert [each.kind for each in compare(bench)] == [kind]
    with double.lock:
        txn[field] -= 1


def test_a_lost_dispute_that_no_event_told_is_found(bench: Bench) -> None:
    """R3 finds what webhooks and event lists have missed."""
    bench.pay("1042")
    bench.dispute()
    (found,) = compare(bench)
    assert (found.kind, found.stripe_cents) == ("unknown_here", -41_250)
    bench.look_at_disputes()
    assert compare(bench) == []


def test_payouts_and_stripes_own_bills_are_not_our_affair(bench: Bench) -> None:
    bench.pay("1042")
    double = bench.running.double
    with double.lock:
        scope = double.scope(bench.account)
        for kind in ("payout", "stripe_fee", "adjustment"):
            made = new_transaction(scope, type_=kind, amount=-100, source="po_1", currency="usd")
            assert made["net"] == -100
    assert compare(bench) == []
    with double.lock:
        rows = scope.book.kind("balance_transaction")
        for txn_id in [key for key, row in rows.items() if row["source"] == "po_1"]:
            del rows[txn_id]


def test_a_broken_rule_of_the_books_is_a_task(bench: Bench) -> None:
    """R4: the invariants are checked every night."""
    bench.pay("1042")
    with bench.acme():
        Invoice.objects.filter(number="1042").update(paid_cents=41249, status="partially_paid")
    assert {each.kind for each in compare(bench)} == {"rule"}
    with bench.acme():
        Invoice.objects.filter(number="1042").update(paid_cents=41250, status="paid")
    assert compare(bench) == []


def test_a_difference_is_told_once_and_settled_by_somebody(bench: Bench) -> None:
    """F-17, PAY-14: office task, mail, operators' log; what somebody has settled does not come back."""
    params: Any = {"amount": 5_000, "currency": "usd", "confirm": True, "return_url": "http://x.example"}
    params["confirmation_token"] = bench.token()
    tenant_stripe(bench.account).v1.payment_intents.create(params)
    compare(bench, minutes=0)
    compare(bench, minutes=0)
    bench.deliver_mail()
    assert [(m.to, m.subject) for m in mail.outbox] == [
        (["olive@acme.example"], "1 difference between your books and Stripe")
    ]
    with control_scope():
        row = PlatformAuditEvent.objects.filter(action="payments.books_differ").first()
        assert row
        assert row.after == {"differences": 1, "kinds": ["unknown_here"]}
    browser = office(bench)
    for page in ("/office/payments/received", "/office/"):
        assert "1 difference to Stripe" in browser.get(page).content.decode()
    html = browser.get("/office/payments/differences").content.decode()
    assert "$50.00" in html
    with bench.acme():
        (kept,) = open_differences()
    for form in ({"key": kept.key, "note": ""}, {"key": "other", "note": "x"}):
        browser.post("/office/payments/differences/settle", form)
    with bench.acme():
        assert len(open_differences()) == 1
    browser.post("/office/payments/differences/settle", {"key": kept.key, "note": "sold a thermostat by hand"})
    assert "The books agree" in browser.get("/office/payments/differences").content.decode()
    compare(bench)
    with bench.acme():
        assert open_differences() == []
        assert not settle_difference(key=kept.key, note="again", by=OLIVE, now=later())


def test_customer_service_sees_differences_and_settles_none(bench: Bench) -> None:
    browser = office(bench, "csr")
    assert browser.get("/office/payments/differences").status_code == 200
    assert browser.post("/office/payments/differences/settle", {"key": "x", "note": "y"}).status_code == 403


def test_every_account_is_compared_once_a_night(bench: Bench) -> None:
    bench.pay("1042")
    assert len(due_accounts(later())) == 2
    assert reconcile_all(now=later()) == 0
    assert due_accounts(later()) == []
    assert len(due_accounts(later(hours=21))) == 2


def test_while_stripe_is_away_nothing_is_lost_and_the_next_hour_tries_again(bench: Bench) -> None:
    """F23: the portal works, the pay button says "not now", the comparison waits, then all is as ever."""
    bench.break_api("503", path=EVERYTHING, method="GET", times=500)
    bench.break_api("503", path=EVERYTHING, method="POST", times=500)
    browser = bench.browser()
    assert browser.get("/invoices/").status_code == 200
    assert browser.get(f"/pay/{bench.invoice().pk}").status_code == 200
    with pytest.raises(errors.PaymentsOff):
        bench.pay("1042", token="ctoken_1")
    assert bench.invoice().reserved_cents == 0
    assert reconcile_all(now=later()) == 0
    pull_all_events(now=later())
    assert len(due_accounts(later())) == 2
    bench.heal()
    bench.pay("1042")
    assert bench.invoice().status == "paid"
    assert reconcile_all(now=later(minutes=30)) == 0


def test_what_was_under_way_is_followed_after_the_account_is_restricted(bench: Bench) -> None:
    """F22: no new payments, but a payment under way ends as it ends, and disputes are followed."""
    attempt = bench.attempt(bench.pay("1042", method="pm_card_threeDSecure2Required").attempt.pk)
    with control_scope():
        PaymentAccount.objects.filter(account_id=bench.account).update(card_payments="restricted")
    with pytest.raises(errors.PaymentsOff):
        bench.pay("1043")
    bench.as_bank(attempt, passed=True)
    with bench.acme() as context:
        PaymentAttempt.objects.filter(pk=attempt.pk).update(expires_at=later(minutes=-1))
        resume_attempts(context=context, now=later())
    assert bench.invoice().status == "paid"
    bench.dispute()
    bench.look_at_disputes()
    with bench.acme():
        assert (Dispute.objects.count(), Payment.objects.get().status) == (1, "disputed")
