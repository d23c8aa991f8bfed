"""An unpaid bill: two letters, then the office is paused and nobody else; paid, it opens at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from billing.tasks import due_companies, step, sweep_billing
from console.services.holds import add_hold, release_hold
from tenants.audit import SYSTEM
from tenants.models import Hold, Subscription, Tenant
from tenants.scope import control_scope
from tests.billing.conftest import FAILS_LATER, OLIVE, Biller
from tests.cast import ACME
from tests.parallel import in_parallel

HELD = "/office/plan/"


def office_answers(biller: Biller) -> tuple[int, str]:
    """Return what Olive gets on the office's first page."""
    answer = biller.office().get("/office/")
    return answer.status_code, answer.headers.get("Location", "")


def fail_a_payment(biller: Biller) -> None:
    """Let the trial of a company end whose card is declined."""
    biller.subscribe(FAILS_LATER)
    biller.mails()
    biller.pass_days(30.5)
    biller.hear()
    assert biller.row().status == "past_due"


def test_a_failed_payment_is_followed_by_two_letters_and_then_the_hold(biller: Biller) -> None:
    """platform.md 3.3, row 6: the grace is over and two notices are sent."""
    fail_a_payment(biller)
    assert "Your payment to Porchlight didn’t go through" in biller.mails()
    biller.pass_days(6)
    assert biller.mails() == []
    biller.pass_days(1.2)
    (subject,) = biller.mails()
    assert subject.startswith("Your office pauses on ")
    biller.pass_days(6)
    assert biller.holds() == []
    assert office_answers(biller)[0] == 200
    biller.pass_days(1)
    assert biller.holds() == ["office"]
    assert biller.mails() == ["Your office is paused"]
    assert [row.after and row.after.get("notice") for row in biller.audit("billing.notice")] == [1, 2]


def test_while_the_office_is_paused_customers_see_and_pay(biller: Biller) -> None:
    """Issue 4.6: dunning closes the office alone."""
    fail_a_payment(biller)
    biller.pass_days(8)
    biller.pass_days(8)
    assert biller.holds() == ["office"]
    shown = biller.console().get("/tenants/").content.decode()
    assert "Office paused" in shown
    assert "Suspended</span>" not in shown
    alice = biller.bench.browser()
    assert "1042" in alice.get("/invoices/").content.decode()
    assert "Pay $412.50" in alice.get(f"/pay/{biller.bench.invoice().pk}").content.decode()
    assert biller.bench.pay().attempt.state == "succeeded"
    assert biller.bench.charged() == 41250


@pytest.mark.parametrize("role", ["owner", "csr", "accountant"])
def test_a_paused_office_leads_everybody_to_the_plan_and_does_nothing_else(biller: Biller, role: str) -> None:
    """AUZ-13: closed by default; only pages that say so stay open."""
    fail_a_payment(biller)
    biller.pass_days(8)
    biller.pass_days(8)
    browser = biller.office(role)
    for path in ("/office/", "/office/customers", "/office/payments/received", "/office/settings", "/office/import"):
        assert browser.get(path).headers["Location"] == HELD
    post = browser.post(f"/office/customers/{biller.bench.invoice().bill_to_id}/invite", {"email": "new@example.com"})
    assert post.headers["Location"] == HELD
    page = browser.get(HELD).content.decode()
    assert "Your office is paused" in page
    assert "Once it is paid the office opens again" in page
    assert ("Card, invoices and plan" in page) == (role == "owner")


def test_an_office_that_an_operator_paused_says_so_and_why(biller: Biller) -> None:
    """A pause by hand, long before any bill is open: no payment would end it, so none is asked for."""
    words = {"kind": "office", "reason": "Call us: <b>two bills</b> came back.", "typed_slug": "acme"}
    answer = biller.console().post(f"/tenants/{ACME}/hold/", words, follow=True).content.decode()
    assert "The office of Acme Heating &amp; Air is paused." in answer
    assert office_answers(biller) == (303, HELD)
    page = biller.office("csr").get(HELD).content.decode()
    assert "Your office is paused" in page
    assert "Porchlight paused it: “Call us: &lt;b&gt;two bills&lt;/b&gt; came back.”" in page
    assert "Once it is paid" not in page
    with control_scope():
        hold = Hold.objects.get(tenant_id=ACME)
        release_hold(hold=hold, reason="settled on the phone", by=SYSTEM, now=biller.now)
    assert office_answers(biller)[0] == 200
    assert "Your office is paused" not in biller.office().get(HELD).content.decode()


def test_a_payment_opens_the_office_at_once(biller: Biller) -> None:
    fail_a_payment(biller)
    biller.pass_days(8)
    biller.pass_days(8)
    assert office_answers(biller) == (303, HELD)
    biller.mails()
    url = biller.office().post("/office/plan/manage").headers["Location"]
    biller.press(url, card="4242424242424242")
    biller.press(url, do="pay")
    biller.hear()
    row = biller.row()
    assert (row.status, row.owing_since, row.notices, row.held_at) == ("active", None, 0, None)
    assert biller.holds() == []
    assert office_answers(biller)[0] == 200
    assert biller.mails() == ["Your office is open again"]


def test_a_payment_that_no_webhook_told_is_seen_before_the_hold(biller: Biller) -> None:
    """F11: nobody is held on hearsay."""
    fail_a_payment(biller)
    biller.pass_days(8)
    url = biller.office().post("/office/plan/manage").headers["Location"]
    biller.press(url, card="4242424242424242")
    biller.press(url, do="pay")
    biller.pass_days(8)
    assert biller.holds() == []
    assert biller.row().status == "active"


def test_nobody_is_held_while_stripe_does_not_answer(biller: Biller) -> None:
    """F23."""
    fail_a_payment(biller)
    biller.pass_days(8)
    biller.now += timedelta(days=8)
    biller.bench.break_api("503", path="^/v1/subscriptions", method="GET", times=3)
    sweep_billing(biller.now)
    assert biller.holds() == []
    biller.bench.heal()
    sweep_billing(biller.now)
    assert biller.holds() == ["office"]


def test_a_trial_that_ends_without_a_plan_is_announced_and_goes_the_same_way(biller: Biller) -> None:
    biller.pass_days(26, stripe=False)
    assert biller.mails() == []
    biller.pass_days(1.5, stripe=False)
    biller.pass_days(0.1, stripe=False)
    (subject,) = biller.mails()
    assert subject.startswith("Your trial ends on ")
    biller.pass_days(3, stripe=False)
    assert biller.mails() == ["Your portal has no plan any more"]
    biller.pass_days(8, stripe=False)
    biller.pass_days(8, stripe=False)
    assert biller.holds() == ["office"]
    biller.subscribe()
    assert biller.holds() == []


def test_a_letter_that_is_not_true_any_more_is_not_sent(biller: Biller) -> None:
    fail_a_payment(biller)
    url = biller.office().post("/office/plan/manage").headers["Location"]
    biller.press(url, card="4242424242424242")
    biller.press(url, do="pay")
    biller.hear()
    assert biller.mails() == []


def test_paying_does_not_open_what_is_closed_for_another_cause(biller: Biller) -> None:
    """platform.md, check 28."""
    fail_a_payment(biller)
    biller.pass_days(8)
    biller.pass_days(8)
    with control_scope():
        add_hold(tenant=Tenant.objects.get(pk=ACME), kind="abuse", reason="spam", by=SYSTEM, now=biller.now)
    url = biller.office().post("/office/plan/manage")
    assert url.status_code == 503
    with biller.bench.running.double.lock:
        double = biller.bench.running.double
        subscription = next(iter(double.store.books["acct_1Platform00000"].kind("subscription").values()))
        subscription["status"] = "active"
    step(ACME, biller.now + timedelta(days=1))
    assert biller.holds() == ["abuse"]
    assert biller.bench.browser().get("/").status_code == 503


def test_steps_taken_in_parallel_are_taken_once(biller: Biller) -> None:
    fail_a_payment(biller)
    biller.mails()
    biller.now += timedelta(days=8)
    assert in_parallel(6, lambda: step(ACME, biller.now)) == [None] * 6
    assert len(biller.mails()) == 1
    biller.now += timedelta(days=8)
    assert in_parallel(6, lambda: step(ACME, biller.now)) == [None] * 6
    assert biller.mails() == ["Your office is paused"]
    assert biller.holds() == ["office"]


def test_the_database_refuses_a_hold_without_two_notices(biller: Biller) -> None:
    biller.pass_days(31, stripe=False)
    with pytest.raises(IntegrityError, match="office_is_held_after_two_notices"), control_scope(), transaction.atomic():
        Subscription.objects.filter(tenant_id=ACME).update(held_at=biller.now)


def test_only_companies_with_something_due_are_looked_at(biller: Biller) -> None:
    assert due_companies(biller.now) == []
    assert ACME in due_companies(biller.now + timedelta(days=28))
    biller.subscribe()
    assert due_companies(biller.now) == []
    assert ACME in due_companies(biller.now + timedelta(days=1))


def test_nothing_of_the_company_is_deleted(biller: Biller) -> None:
    fail_a_payment(biller)
    for _ in range(20):
        biller.pass_days(10)
    assert biller.row().status == "unpaid"
    assert biller.row().tenant.lifecycle == "active"
    assert "1042" in biller.bench.browser().get("/invoices/").content.decode()


def test_a_clock_that_stood_still_does_not_swallow_the_last_warning(biller: Biller) -> None:
    """platform.md 3.3, row 6: nobody is held sooner than three days after the letter that says so."""
    biller.pass_days(31, stripe=False)
    biller.pass_days(40, stripe=False)
    assert biller.row().notices == 2
    biller.pass_days(2.9, stripe=False)
    assert biller.holds() == []
    biller.pass_days(0.2, stripe=False)
    assert biller.holds() == ["office"]


def test_what_an_operator_has_paused_for_another_reason_stays_paused(biller: Biller) -> None:
    """platform.md 3.3, row 7: only the cause of that hold is gone."""
    fail_a_payment(biller)
    biller.pass_days(8)
    with control_scope():
        add_hold(tenant=Tenant.objects.get(pk=ACME), kind="office", reason="a talk", by=OLIVE, now=biller.now)
    biller.pass_days(8)
    url = biller.office().post("/office/plan/manage").headers["Location"]
    biller.press(url, card="4242424242424242")
    biller.press(url, do="pay")
    biller.hear()
    assert biller.row().held_at is None
    assert biller.holds() == ["office"]
