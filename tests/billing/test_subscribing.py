"""A company subscribes on Stripe's page; our row is a mirror of what Stripe says."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from billing import stripe_facts
from billing.errors import AlreadySubscribed, NotOffered, StripeAway
from billing.services.checkout import start_checkout
from billing.services.mirror import look_at_company
from billing.stripe_facts import SubscriptionFacts
from infra.stripe_client import platform_stripe
from tenants.models import Plan
from tenants.scope import control_scope
from tests.billing.conftest import FAILS_LATER, OLIVE, REFUSED, Biller
from tests.cast import ACME, GLOBEX
from tests.parallel import in_parallel


def test_a_company_subscribes_within_its_trial_and_pays_nothing_yet(biller: Biller) -> None:
    """platform.md 3.2, O-07: Stripe's page gets the days that are left of the trial."""
    biller.now += timedelta(days=10)
    biller.subscribe()
    row = biller.row()
    assert row.status == "trialing"
    assert row.stripe_subscription_id
    (subscription,) = platform_stripe().v1.subscriptions.list({"customer": row.stripe_customer_id or ""}).data
    assert subscription.metadata.to_dict() == {"tenant": str(ACME)}
    assert (subscription.trial_end or 0) - subscription.created == 20 * 86_400
    (item,) = subscription["items"].data
    assert (item.price.unit_amount, item.price.currency, item.price.lookup_key) == (4900, "usd", "porch_v1")
    invoices = platform_stripe().v1.invoices.list({"customer": row.stripe_customer_id or ""}).data
    assert [invoice.amount_paid for invoice in invoices] == [0]
    (audit,) = biller.audit("billing.checkout")
    assert (audit.actor_kind, audit.visible_to_tenant) == ("staff", True)


def test_after_the_trial_the_first_month_is_charged_at_once(biller: Biller) -> None:
    biller.now += timedelta(days=31)
    biller.subscribe()
    row = biller.row()
    assert row.status == "active"
    invoices = platform_stripe().v1.invoices.list({"customer": row.stripe_customer_id or ""}).data
    assert [(invoice.amount_paid, invoice.status) for invoice in invoices] == [(4900, "paid")]


def test_a_refused_card_subscribes_nobody(biller: Biller) -> None:
    biller.subscribe(REFUSED)
    assert biller.row().status == ""
    biller.now += timedelta(days=31)
    biller.subscribe(FAILS_LATER)
    assert biller.row().status == ""


def test_there_is_one_price_for_a_plan_however_often_it_is_asked_for(biller: Biller) -> None:
    """Money in whole cents; a published version keeps its price at Stripe."""
    first, second = biller.checkout(), biller.checkout()
    assert first != second
    prices = platform_stripe().v1.prices.list({}).data
    assert [(price.lookup_key, price.unit_amount) for price in prices] == [("porch_v1", 4900)]


def test_a_second_page_closes_the_first_so_that_nobody_pays_twice(biller: Biller) -> None:
    first, second = biller.checkout(), biller.checkout()
    biller.press(first, card="4242424242424242")
    assert platform_stripe().v1.subscriptions.list({"status": "all"}).data == []
    biller.press(second, card="4242424242424242")
    biller.hear()
    assert biller.row().status == "trialing"
    with pytest.raises(AlreadySubscribed):
        biller.checkout()


def test_two_who_press_at_once_get_one_open_page(biller: Biller) -> None:
    biller.checkout()
    answers = in_parallel(4, biller.checkout)
    urls = [answer for answer in answers if isinstance(answer, str)]
    assert all(isinstance(answer, str | StripeAway) for answer in answers), answers
    double = biller.bench.running.double
    with double.lock:
        sessions = double.store.books["acct_1Platform00000"].kind("checkout.session").values()
        assert [session["url"] for session in sessions if session["status"] == "open"] in [[url] for url in urls]


def test_a_plan_that_is_not_offered_cannot_be_chosen(biller: Biller) -> None:
    with control_scope():
        plan = Plan.objects.create(code="attic", name="Attic", price_cents=100, trial_days=30)
    with pytest.raises(NotOffered):
        start_checkout(
            tenant_id=ACME, plan_id=plan.pk, success_url="http://x/", cancel_url="http://x/", by=OLIVE, now=biller.now
        )


def test_events_in_any_order_and_number_end_in_the_same_row(biller: Biller) -> None:
    """F9, F10: an event only says "look again"."""
    biller.subscribe()
    biller.pass_days(31)
    biller.hear()
    expected = (biller.row().status, biller.row().current_period_end, biller.row().owing_since)
    events = [{**event, "id": f"{event['id']}_{n}"} for n in range(2) for event in biller.events()]
    random.Random(4).shuffle(events)
    biller.tell(events)
    biller.bench.work_off(newest_first=True)
    row = biller.row()
    assert (row.status, row.current_period_end, row.owing_since) == expected
    assert row.status == "active"
    assert {event.state for event in biller.bench.inbox().values()} <= {"done", "ignored"}


def test_lost_events_are_made_up_for_by_the_daily_look(biller: Biller) -> None:
    """F11."""
    biller.press(biller.checkout(), card="4242424242424242")
    assert biller.row().status == ""
    biller.pass_days(1)
    assert biller.row().status == "trialing"


def test_an_event_about_a_customer_of_nobody_is_parked_and_not_guessed(biller: Biller) -> None:
    """F13."""
    biller.subscribe()
    event = next(e for e in biller.events() if e["type"] == "customer.subscription.created")
    event["id"], event["data"]["object"]["customer"] = "evt_1stranger", "cus_stranger"
    biller.tell([event])
    row = biller.bench.inbox()["evt_1stranger"]
    assert (row.state, row.tenant_id) == ("parked", None)


def test_events_of_customers_payments_mean_nothing_at_the_platforms_endpoint(biller: Biller) -> None:
    """PAY-08: what moves a company's ledger comes from its own account alone."""
    event = {
        "id": "evt_1own",
        "object": "event",
        "livemode": False,
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
    }
    biller.tell([event])
    assert biller.bench.inbox()["evt_1own"].state == "ignored"


def test_two_living_subscriptions_are_parked_for_a_person(biller: Biller) -> None:
    biller.subscribe()
    from infra.stripe_double.subscriptions import start_subscription

    double = biller.bench.running.double
    with double.lock:
        scope = double.scope("acct_1Platform00000")
        mine = next(iter(scope.book.kind("subscription").values()))
        start_subscription(
            scope,
            customer=scope.find("customer", mine["customer"]),
            price=mine["items"]["data"][0]["price"],
            method=scope.find("payment_method", mine["default_payment_method"]),
            trial_days=0,
            metadata={},
        )
    before = biller.row().stripe_subscription_id
    biller.hear()
    assert biller.row().stripe_subscription_id == before
    assert "parked" in {event.state for event in biller.bench.inbox().values()}


def test_a_plan_chosen_in_the_portal_becomes_the_companys(biller: Biller) -> None:
    biller.subscribe()
    with control_scope():
        other = Plan.objects.create(code="attic", name="Attic", price_cents=9900, trial_days=30, is_offered=True)
    double = biller.bench.running.double
    with double.lock:
        subscription = next(iter(double.store.books["acct_1Platform00000"].kind("subscription").values()))
        price = subscription["items"]["data"][0]["price"]
        subscription["items"]["data"][0]["price"] = {**price, "lookup_key": "attic_v1", "unit_amount": 9900}
    look_at_company(tenant_id=ACME, now=biller.now)
    assert biller.row().tenant.plan_id == other.pk
    with biller.bench.acme() as context:
        assert context.tenant.plan_code == "attic"


def test_the_neighbour_is_not_touched(biller: Biller) -> None:
    biller.subscribe()
    from billing.rows import ensure_row

    assert ensure_row(tenant_id=GLOBEX, now=biller.now).status == ""


def test_who_cancels_within_the_trial_and_comes_back_still_has_the_rest_of_it(biller: Biller) -> None:
    biller.subscribe()
    ends = biller.row().trial_ends_at
    url = biller.office().post("/office/plan/manage").headers["Location"]
    biller.press(url, do="end_now")
    biller.hear()
    assert biller.row().status == "canceled"
    assert biller.row().owing_since is None
    biller.now += timedelta(days=10)
    biller.subscribe()
    row = biller.row()
    assert row.status == "trialing"
    (subscription,) = platform_stripe().v1.subscriptions.list({"customer": row.stripe_customer_id or ""}).data
    assert 20 <= round(((subscription.trial_end or 0) - subscription.created) / 86_400) <= 21
    assert row.trial_ends_at < ends


def test_an_answer_that_is_late_is_not_written_over_a_fresh_one(
    biller: Biller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F10: whoever asked before something changed, and comes after who asked later, asks again."""
    biller.subscribe()
    ask, asked = stripe_facts.find_subscription, []

    def ask_slowly(customer_id: str) -> SubscriptionFacts | None:
        answer = ask(customer_id)
        asked.append(answer)
        if len(asked) == 1:
            url = biller.office().post("/office/plan/manage").headers["Location"]
            biller.press(url, do="end_now")
            look_at_company(tenant_id=ACME, now=biller.now)
        return answer

    monkeypatch.setattr(stripe_facts, "find_subscription", ask_slowly)
    look_at_company(tenant_id=ACME, now=biller.now)
    assert [answer.status for answer in asked if answer] == ["trialing", "canceled", "canceled"]
    assert biller.row().status == "canceled"
