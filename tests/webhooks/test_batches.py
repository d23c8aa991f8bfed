"""Events are worked off in batches: who is in one, what they share, and what one event does to the others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from infra.queue import DEAD_AFTER
from infra.stripe_client import BREAKER
from portal.customers.models import Customer
from tenants.scope import control_scope
from tests.parallel import in_parallel
from tests.portal.payments.bench import Bench, later
from webhooks.models import WebhookInbox
from webhooks.services.process import BATCH, due_events, process_event, work_off_inbox

SUCCEEDED = "payment_intent.succeeded"


def tell(account: str, objects: Iterable[str], *, first_at: datetime, kind: str = SUCCEEDED) -> list[UUID]:
    """Put events into the inbox, one a second, and return their rows."""
    rows = [
        WebhookInbox(
            event_id=f"evt_{uuid4().hex}",
            scope="connect",
            account_id=account,
            type=kind,
            object_id=name,
            livemode=False,
            payload={},
            next_at=first_at + timedelta(seconds=60 + number),
            received_at=first_at + timedelta(seconds=number),
        )
        for number, name in enumerate(objects)
    ]
    with control_scope():
        WebhookInbox.objects.bulk_create(rows)
    return [row.pk for row in rows]


def rows_of(ids: Iterable[UUID]) -> list[tuple[str, int]]:
    """Return state and tries of events in their order."""
    with control_scope():
        found = {row.pk: (row.state, row.attempts) for row in WebhookInbox.objects.filter(pk__in=list(ids))}
    return [found[each] for each in ids]


def lost_payments(bench: Bench, *numbers: str) -> list[str]:
    """Pay invoices so that only events can tell; returns the intents."""
    with bench.running.double.lock:
        known = set(bench.running.double.scope(bench.account).book.kind("payment_intent"))
    for number in numbers:
        bench.break_api("timeout_after", times=3, seconds=0.01)
        bench.pay(number)
    return [intent.id for intent in bench.intents()[::-1] if intent.id not in known]


def test_a_batch_has_the_newest_and_the_oldest(bench: Bench) -> None:
    """A backlog keeps nobody waiting who pays now, and shrinks whatever comes in (reliability.md 1)."""
    told = tell("acct_nobody", [f"pi_{n}" for n in range(20)], first_at=later(minutes=-5))
    assert work_off_inbox(now=later(minutes=-5, seconds=30)) == BATCH
    tried = [number for number, (_, attempts) in enumerate(rows_of(told)) if attempts]
    assert tried == [0, 1, 2, 3, 16, 17, 18, 19]


def test_no_event_is_left_and_none_is_tried_twice_by_workers_side_by_side(bench: Bench) -> None:
    told = tell("acct_nobody", [f"pi_{n}" for n in range(60)], first_at=later(minutes=-5))
    while sum(in_parallel(4, lambda: work_off_inbox(now=later(minutes=-4)))):
        pass
    assert set(rows_of(told)) == {("parked", 1)}


def test_events_that_ask_for_the_same_are_one_look(bench: Bench) -> None:
    """PAY-10: an event only says "look again", and one look answers all that were there before it."""
    (intent,) = lost_payments(bench, "1042")
    told = tell(bench.account, [intent] * 3, first_at=later(minutes=-1))
    told += tell(bench.account, [intent] * 2, first_at=later(minutes=-1), kind="charge.updated")
    before = len(bench.requests_to(f"/v1/payment_intents/{intent}"))
    assert work_off_inbox(now=later()) == 5
    assert len(bench.requests_to(f"/v1/payment_intents/{intent}")) == before + 1
    assert set(rows_of(told)) == {("done", 1)}
    assert bench.invoice().status == "paid"


def test_one_event_that_cannot_be_worked_off_does_not_hold_up_its_batch(bench: Bench) -> None:
    """payments.md 3c.7: what fails waits for its own time, what nobody knows is parked."""
    (intent,) = lost_payments(bench, "1042")
    told = tell(bench.account, ["pi_unheard_of", intent], first_at=later(minutes=-1))
    told += tell("acct_nobody", ["pi_3"], first_at=later(minutes=-1))
    assert work_off_inbox(now=later()) == 3
    assert rows_of(told) == [("failed", 1), ("done", 1), ("parked", 1)]
    assert work_off_inbox(now=later()) == 0
    assert work_off_inbox(now=later(seconds=31)) == 1


def test_what_a_worker_died_with_is_free_when_the_broker_hands_on_its_message(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAY-10: a crash between claim and end changes nothing; another worker takes the events."""
    (intent,) = lost_payments(bench, "1042")
    told = tell(bench.account, [intent], first_at=later(minutes=-1))

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("webhooks.services.process._work_off", die)
        with pytest.raises(SystemExit):
            work_off_inbox(now=later())
    assert rows_of(told) == [("received", 1)]
    assert work_off_inbox(now=later()) == 0
    handed_on = later(seconds=DEAD_AFTER.total_seconds() - 1)
    assert due_events(handed_on) == told
    assert work_off_inbox(now=handed_on) == 1
    assert rows_of(told) == [("done", 2)]
    assert bench.invoice().status == "paid"


def test_what_a_batch_has_not_tried_when_stripe_goes_away_keeps_its_tries(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F23."""
    monkeypatch.setattr(BREAKER, "failures", 1)
    bench.break_api("503", path="^/v1/payment_intents/", method="GET", times=100)
    told = tell(bench.account, ["pi_1", "pi_2", "pi_3"], first_at=later(minutes=-1))
    assert work_off_inbox(now=later()) == 3
    assert sorted(rows_of(told)) == [("failed", 1), ("received", 0), ("received", 0)]
    assert work_off_inbox(now=later()) == 0
    BREAKER.close()


def test_what_a_batch_has_no_time_for_is_asked_for_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is begun that would outlast the lease, and nothing of it waits for the sweep."""
    told = tell("acct_nobody", ["pi_1", "pi_2"], first_at=later(minutes=-1))
    asked: list[bool] = []
    with monkeypatch.context() as patched:
        patched.setattr("webhooks.services.process.WORKING_SECONDS", -1)
        patched.setattr("webhooks.services.process.process_inbox.hint", lambda: asked.append(True))
        assert work_off_inbox(now=later()) == 2
    assert asked == [True]
    assert rows_of(told) == [("received", 0)] * 2
    assert work_off_inbox(now=later()) == 2
    assert rows_of(told) == [("parked", 1)] * 2


def test_what_is_told_again_waits_for_no_lock(bench: Bench) -> None:
    """F9: a success and its fee are final; all but the first event of a payment only look."""
    (intent,) = lost_payments(bench, "1042")
    (first,) = tell(bench.account, [intent], first_at=later(minutes=-2))
    process_event(inbox_id=first, now=later())
    (again,) = tell(bench.account, [intent], first_at=later(minutes=-1))
    before = bench.ledger()
    with bench.acme(), transaction.atomic():
        list(Customer.objects.select_for_update())
        assert in_parallel(1, lambda: process_event(inbox_id=again, now=later())) == [None]
    assert rows_of([first, again]) == [("done", 1), ("done", 1)]
    assert bench.ledger() == before
