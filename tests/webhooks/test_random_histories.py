"""Random stories in which money also goes back: refunds, disputes, credit, cash, parts; the books stay Stripe's."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from infra.stripe_client import tenant_stripe
from portal.invoices.models import Invoice
from portal.payments import errors, refund_facts
from portal.payments.models import Credit, Dispute, Payment, Refund
from portal.payments.services import refunds
from portal.payments.services.credits import apply_credit, open_invoices
from portal.payments.services.recording import reverse_payment
from portal.payments.services.refunds import resume_refunds
from tests.portal.payments.bench import Bench
from tests.portal.payments.test_parts_and_several import ANY
from tests.portal.payments.test_reconcile import compare
from tests.portal.payments.test_recording import OLIVE, receive
from webhooks.services.process import due_events, process_event
from webhooks.services.pull import pull_all_events

from .test_random_walks import PAYERS, SEEDS, STEPS_BETWEEN, Died, Walk, dying

STEPS = 36
REFUND_STEPS = [(refund_facts, "create_refund"), (refund_facts, "retrieve_refund"), (refunds, "apply_refund")]
CARDS = [
    "pm_card_visa",
    "pm_card_refundFail",
    "pm_card_pendingRefund",
    "pm_card_createDispute",
    "pm_card_chargeDeclined",
]


class History(Walk):
    """A story with everything that can happen to money afterwards."""

    def step(self) -> None:
        """Let something happen."""
        paying = [self.pay_some, self.pay_some, self.pay_some, self.answer, self.take_cash]
        going_back = [self.refund, self.refund, self.refund_by_hand, self.dispute, self.decide, self.reverse]
        faults = [self.break_api, self.break_refunds, self.break_webhook, self.crash, self.crash]
        self.random.choice([*paying, *going_back, *faults, self.use_credit, self.sweep, self.work_off, self.days])()

    def pay_some(self) -> None:
        numbers = sorted({f"W-{self.random.randrange(8)}" for _ in range(self.random.choice([1, 1, 3]))})
        part = self.random.choice([None, None, 600])
        try:
            user, method = self.random.choice(PAYERS), self.random.choice(CARDS)
            self.bench.pay(*numbers, method=method, part=part, rules=ANY, user=user, now=self.now)
        except errors.PaymentRefused:
            return

    def _payment(self, *, by_hand: bool = False) -> Payment | None:
        with self.bench.acme():
            rows = list(Payment.objects.filter(received_cents__gt=0, stripe_pi_id__isnull=by_hand))
        return self.random.choice(rows) if rows else None

    def refund(self) -> None:
        payment = self._payment()
        if payment is None:
            return
        try:
            amount = self.random.choice([None, 100, 700])
            self.bench.refund(amount, payment=payment, keeps_paid=self.random.random() < 0.3, now=self.now)
        except errors.PaymentRefused:
            return

    def crash(self) -> None:
        """Die between two steps of whatever is done next, refunds among it."""
        place, name = self.random.choice(STEPS_BETWEEN + REFUND_STEPS)
        with dying(place, name, after=self.random.random() < 0.5):
            try:
                self.random.choice([self.pay_some, self.refund, self.sweep, self.work_off])()
            except Died:
                return

    def refund_by_hand(self) -> None:
        payment = self._payment()
        if payment is None:
            return
        params: Any = {"payment_intent": payment.stripe_pi_id, "amount": self.random.choice([50, 300])}
        try:
            tenant_stripe(self.bench.account).v1.refunds.create(params)
        except Exception:
            # Refused because nothing is left, or because of a fault: either way Stripe's books say what is true.
            return

    def dispute(self) -> None:
        payment = self._payment()
        if payment is None or payment.stripe_pi_id in self._disputed():
            return
        self.bench.dispute(payment, status=self.random.choice(["needs_response", "lost", "warning_needs_response"]))

    def _disputed(self) -> set[str]:
        double = self.bench.running.double
        with double.lock:
            rows = double.scope(self.bench.account).book.kind("dispute").values()
            return {row["payment_intent"] for row in rows}

    def decide(self) -> None:
        double = self.bench.running.double
        with double.lock:
            rows = double.scope(self.bench.account).book.kind("dispute").values()
            waiting = [row["id"] for row in rows if row["status"].endswith("needs_response")]
        if waiting:
            words = self.random.choice(["winning_evidence", "losing_evidence"])
            params: Any = {"evidence": {"uncategorized_text": words}}
            tenant_stripe(self.bench.account).v1.disputes.update(self.random.choice(waiting), params)

    def take_cash(self) -> None:
        number = f"W-{self.random.randrange(8)}"
        try:
            receive(self.bench, self.random.choice([400, 1_200]), number, keep_rest=True, how="cash")
        except errors.PaymentRefused:
            return

    def reverse(self) -> None:
        payment = self._payment(by_hand=True)
        if payment is None:
            return
        try:
            with self.bench.acme():
                reverse_payment(payment_id=payment.pk, note="a mistake", by=OLIVE, now=self.now)
        except errors.RefundRefused:
            return

    def use_credit(self) -> None:
        with self.bench.acme():
            for credit in Credit.objects.filter(remaining_cents__gt=0):
                fitting = open_invoices(credit)
                if fitting:
                    apply_credit(
                        credit_id=credit.pk,
                        invoice_id=fitting[0].pk,
                        seen_cents=credit.remaining_cents,
                        by=OLIVE,
                        now=self.now,
                    )
                    return

    def break_refunds(self) -> None:
        kind = self.random.choice(["500", "500_after", "500_saved", "timeout_after", "reset"])
        self.bench.break_api(kind, path="^/v1/refunds", times=self.random.choice([1, 3]), seconds=0.01)

    def days(self) -> None:
        self.bench.control("advance", days=self.random.choice([1, 4]))

    def end(self) -> None:
        """Everything works again: sweeps, event lists and late outcomes bring the books to the truth."""
        self.bench.heal()
        self.bench.control("advance", days=5)
        super().end()
        with self.bench.acme() as context:
            resume_refunds(context=context, now=self.now)
        pull_all_events(now=timezone.now())
        for _ in range(2):
            for inbox_id in due_events(self.now):
                process_event(inbox_id=inbox_id, now=self.now)

    def check(self) -> None:
        """Prove that nothing is open any more, and that refunds, disputes and the ledger are Stripe's own."""
        stripe = tenant_stripe(self.bench.account).v1
        made, disputes = stripe.refunds.list({"limit": 100}).data, stripe.disputes.list({"limit": 100}).data
        with self.bench.acme():
            assert not Refund.objects.filter(state="requested").exists()
            known = dict(Refund.objects.exclude(stripe_refund_id=None).values_list("stripe_refund_id", "state"))
            assert known == {row.id: row.status for row in made}
            told = dict(Dispute.objects.values_list("stripe_dispute_id", "status"))
            assert told == {row.id: row.status for row in disputes}
            assert not Invoice.objects.exclude(reserved_cents=0, pending_cents=0).exists()
        assert compare(self.bench) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_goes_back_the_books_equal_stripes(live: Bench, seed: int) -> None:
    """F17…F21, F26, PAY-09, PAY-14: more histories with PAYMENT_WALKS=100."""
    history = History(live, seed)
    history.run(STEPS)
    history.check()
