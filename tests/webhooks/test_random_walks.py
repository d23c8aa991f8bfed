"""Long random stories of payers, banks, faults and lost messages: the ledger always ends as Stripe's own books."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from infra.stripe_client import tenant_stripe
from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.payments import errors, intents
from portal.payments.models import Payment, PaymentAttempt
from portal.payments.services import settle, submit
from portal.payments.services.settle import resume_attempts
from tests.parallel import in_parallel
from tests.portal.payments.bench import ANY_INTENT, Bench
from webhooks.services import process
from webhooks.services.process import due_events, process_event

METHODS = ["pm_card_visa", "pm_card_mastercard", "pm_card_chargeDeclined", "pm_card_threeDSecure2Required"]
API_FAULTS = ["500", "503", "409", "reset", "500_after", "500_saved", "timeout_after"]
WEBHOOK_FAULTS = ["duplicate", "hold", "drop", "tamper", "stale"]
SEEDS = range(int(os.environ.get("PAYMENT_WALKS", "2")))
STEPS = 30
PAYERS = ["alice@example.com", "bob@example.com"]
# Where a process can die: before or after the call to Stripe, the effect in our books, the mark in the inbox.
STEPS_BETWEEN = [
    (intents, "create_intent"),
    (intents, "retrieve_intent"),
    (intents, "cancel_intent"),
    (submit, "apply_intent"),
    (settle, "apply_intent"),
    (process, "_look"),
    (process, "_work_off"),
    (process, "_claim"),
]


class Died(BaseException):
    """The process is gone: nothing after this point happens, whatever would catch an Exception."""


@contextmanager
def dying(place: Any, name: str, *, after: bool) -> Iterator[None]:
    """Let whoever takes this step die just before or just after it."""
    step = getattr(place, name)

    def die(*args: Any, **kwargs: Any) -> Any:
        if after:
            step(*args, **kwargs)
        raise Died

    setattr(place, name, die)
    try:
        yield
    finally:
        setattr(place, name, step)


class Walk:
    """One story; `now` runs ahead of the clock."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench, self.random = bench, Random(seed)
        self.now = timezone.now()
        with bench.acme():
            alice = Customer.objects.get(number="C-1001")
            for number in range(8):
                Invoice.objects.create(
                    number=f"W-{number}",
                    bill_to=alice,
                    status="open",
                    issued_on=self.now.date(),
                    due_on=self.now.date(),
                    currency="USD",
                    subtotal_cents=1_000 + number,
                    total_cents=1_000 + number,
                    created_at=self.now,
                    updated_at=self.now,
                )

    def step(self) -> None:
        """Let something happen."""
        often = [self.pay, self.pay, self.pay_twice, self.two_pay, self.answer]
        faults = [self.break_api, self.break_webhook, self.crash, self.crash]
        action = self.random.choice([*often, *faults, self.sweep, self.work_off, self.redeliver, self.wait])
        action()

    def pay(self) -> None:
        number = f"W-{self.random.randrange(8)}"
        try:
            user = self.random.choice(PAYERS)
            self.bench.pay(number, method=self.random.choice(METHODS), user=user, now=self.now)
        except errors.PaymentRefused:
            return

    def two_pay(self) -> None:
        """Two people pay the same invoice at the same moment, each with a form of their own."""
        number, payers = f"W-{self.random.randrange(8)}", iter(PAYERS)
        method = self.random.choice(METHODS)
        results = in_parallel(2, lambda: self.bench.pay(number, method=method, user=next(payers), now=self.now))
        for result in results:
            assert not isinstance(result, Exception) or isinstance(result, errors.PaymentRefused), repr(result)

    def crash(self) -> None:
        """Die between two steps of whatever is done next."""
        place, name = self.random.choice(STEPS_BETWEEN)
        with dying(place, name, after=self.random.random() < 0.5):
            try:
                self.random.choice([self.pay, self.answer, self.sweep, self.work_off])()
            except Died:
                return

    def pay_twice(self) -> None:
        number, key = f"W-{self.random.randrange(8)}", uuid4()
        seen = self.bench.invoice(number).total_cents
        token = self.bench.token(self.random.choice(METHODS))
        results = in_parallel(3, lambda: self.bench.pay(number, token=token, form_key=key, seen=seen, now=self.now))
        for result in results:
            assert not isinstance(result, Exception) or isinstance(result, errors.PaymentRefused), repr(result)

    def answer(self) -> None:
        with self.bench.acme():
            waiting = list(PaymentAttempt.objects.filter(state="requires_action"))
        if waiting:
            self.bench.as_bank(self.random.choice(waiting), passed=self.random.random() < 0.7)

    def break_api(self) -> None:
        kind = self.random.choice(API_FAULTS)
        method = self.random.choice(["POST", "GET"])
        times = self.random.choice([1, 3, 6])
        self.bench.break_api(kind, path=ANY_INTENT, method=method, times=times, seconds=0.01)

    def break_webhook(self) -> None:
        kind = self.random.choice(WEBHOOK_FAULTS)
        self.bench.control("faults", webhook=[{"kind": kind, "times": self.random.choice([1, 4])}])

    def sweep(self) -> None:
        with self.bench.acme() as context:
            resume_attempts(context=context, now=self.now)

    def work_off(self) -> None:
        due = due_events(self.now + timedelta(minutes=2))
        self.random.shuffle(due)
        for inbox_id in due[: self.random.randint(1, 20)]:
            process_event(inbox_id=inbox_id, now=self.now)

    def redeliver(self) -> None:
        known = list(self.bench.inbox())
        if known:
            self.bench.control("redeliver", event=self.random.choice(known))

    def wait(self) -> None:
        self.now += timedelta(seconds=self.random.choice([5, 70, 500, 1_000]))

    def run(self, steps: int) -> None:
        """Let so many things happen, and then nothing more."""
        for _ in range(steps):
            self.step()
        self.end()

    def end(self) -> None:
        """Everything works again, everything that was lost is found, every reservation ends."""
        self.bench.heal()
        self.bench.control("release", reverse=True)
        self.bench.settle_down()
        self.now += timedelta(hours=3)
        self.sweep()
        for inbox_id in due_events(self.now):
            process_event(inbox_id=inbox_id, now=self.now)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_ledger_equals_stripes_books(live: Bench, seed: int) -> None:
    """F1…F14, PAY-03…PAY-11, PAY-14: more walks with PAYMENT_WALKS=100."""
    Walk(live, seed).run(STEPS)
    with live.acme():
        assert not PaymentAttempt.objects.exclude(state__in=["succeeded", "failed", "expired"]).exists()
        assert not Invoice.objects.exclude(reserved_cents=0, pending_cents=0).exists()
        received = {p.stripe_pi_id: p.received_cents for p in Payment.objects.all()}
        overpaid = Invoice.objects.filter(paid_cents__gt=F("total_cents"))
        assert not overpaid.exists()
    truth = tenant_stripe(live.account).v1.payment_intents.list({"limit": 100}).data
    assert received == {intent.id: intent.amount_received for intent in truth if intent.status == "succeeded"}
    live.deliver_mail()
